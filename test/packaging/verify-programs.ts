/** Programs whose verify functions a strategy must take, and others that it must refuse. For types.test.ts. */

/** Before each program: options, and an application that says what its users are. */
const HEAD = (className: string) => `
import Strategy = ${className}.Strategy;
type Profile = Strategy.Profile;
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
declare function is<A, B>(same: Same<A, B>): void;
const options = { clientID: 'a', clientSecret: 'b', callbackURL: '/cb' };
declare const isSkipped: boolean;
declare const users: {
  find(id: string): Promise<{ id: string } | null>;
  findNow(id: string): { id: string };
};
`;

/** The exported options, at the constructor and in subclasses. */
export const OPTIONS = (className: string): string => `${HEAD(className)}
class Classic extends Strategy {
  constructor(given: Strategy.Options, verify: Strategy.VerifyFunction) { super(given, verify); }
}
class WithOwnVerify extends Strategy {
  constructor(given: Strategy.Options) {
    super({ ...given, timeout: 5000 }, async (_access, _refresh, profile) => await users.find(profile.id));
  }
}
class WithParams extends Strategy {
  constructor(given: Strategy.Options, verify: Strategy.VerifyFunctionWithParams) { super(given, verify); }
}
class WithRequest extends Strategy {
  constructor(given: Strategy.OptionsWithRequest, verify: Strategy.VerifyFunctionWithRequest) { super(given, verify); }
}
class Typed extends Strategy {
  constructor(given: Strategy.OptionsWithVerify) { super(given); }
}
class TypedLater extends Strategy {
  constructor(given: Strategy.Options, verify: Strategy.TypedVerify) { super({ ...given, verify }); }
}
declare const given: Strategy.Options;
declare const four: Strategy.VerifyFunction;
declare const five: Strategy.VerifyFunctionWithParams;
new Strategy(given, four);
new Strategy(given, five);
new Strategy({ ...given, tenant: () => ({ key: 'a' }) }, four);
new Strategy({ ...given, passReqToCallback: true }, (req, _access, _refresh, profile, done) => {
  is<typeof profile, Profile>(true);
  done(null, { id: req.url });
});
export const classes = [Classic, WithOwnVerify, WithParams, WithRequest, Typed, TypedLater];
// @ts-expect-error -- without a verify function
new Strategy(given);
// @ts-expect-error -- these have a verify function already
const twice: Strategy.Options = { ...options, verify: () => null };
// @ts-expect-error -- an option that does not exist
const misspelt: Strategy.Options = { ...options, callbackUrl: '/cb' };
void [twice, misspelt];
`;

/** The form of verify decides on the type of the profile. */
export const PROFILES = (className: string): string => `${HEAD(className)}
new Strategy(options, (_access, _refresh, profile, done) => {
  is<typeof profile, Profile>(true);
  done(null, profile);
});
new Strategy({ ...options, verify: ({ profile }) => (is<typeof profile, Profile>(true), profile) });
const skipped = { ...options, skipUserProfile: true } as const;
new Strategy(skipped, (access, _refresh, profile, done) => {
  is<typeof profile, undefined>(true);
  done(null, { id: access });
});
new Strategy({ ...skipped, passReqToCallback: true }, (req, _access, _refresh, profile, done) => {
  is<typeof profile, undefined>(true);
  done(null, { id: req.url });
});
new Strategy({
  ...options,
  skipUserProfile: true,
  callbackURL: (req) => req.url,
  verify: ({ profile, tokens }) => (is<typeof profile, undefined>(true), { id: tokens.accessToken }),
});
new Strategy({ ...options, skipUserProfile: () => isSkipped }, (access, _refresh, profile, done) => {
  is<typeof profile, Profile | undefined>(true);
  done(null, { id: profile?.id ?? access });
});
new Strategy(
  { ...options, skipUserProfile: (token, done) => done(null, token === '') },
  async (access, _refresh, profile) => ({ id: profile?.id ?? access }),
);
const five: Strategy.VerifyFunctionWithParams<undefined> = (_access, _refresh, params, profile, done) => {
  is<typeof profile, undefined>(true);
  done(null, { id: String(params.sub) });
};
new Strategy(skipped, five);
// @ts-expect-error -- there is no profile
new Strategy(skipped, (_access, _refresh, profile, done) => done(null, { id: profile.id }));
// @ts-expect-error -- there may be none
new Strategy({ ...options, skipUserProfile: () => true, verify: ({ profile }) => ({ id: profile.id }) });
`;

/** A verify function that returns at once, or promises the user, with and without \`done\`. */
export const RETURNED = (className: string): string => `${HEAD(className)}
const sync: Strategy.VerifyFunction = (_access, _refresh, profile) => users.findNow(profile.id);
const written = (access: string, _refresh: string | undefined, profile: Profile) =>
  access === '' ? false : users.findNow(profile.id);
new Strategy(options, sync);
new Strategy(options, written);
new Strategy(options, (_access, _refresh, profile) => users.find(profile.id));
new Strategy(options, async () => null);
new Strategy(options, () => undefined);
new Strategy(options, function (_access, _refresh, profile, done) {
  users.find(profile.id).then((user) => done(null, user), done);
});
new Strategy(options, (_access, _refresh, _profile, done) => done(null, false, { message: 'no' }));
new Strategy({ ...options, passReqToCallback: true }, (req, _access, _refresh, profile) => users.findNow(req.url + profile.id));
new Strategy({ ...options, verify: ({ profile }) => users.findNow(profile.id) });
`;

/** The application says what a user is. */
export const USERS = (className: string): string => `${HEAD(className)}
declare global {
  namespace Express {
    interface User { id: string }
  }
}
new Strategy(options, (_access, _refresh, profile, done) => done(null, profile));
new Strategy(options, (_access, _refresh, profile) => users.findNow(profile.id));
new Strategy(options, async (_access, _refresh, profile) => await users.find(profile.id));
new Strategy({ ...options, verify: async ({ profile }) => await users.find(profile.id) });
const user: Strategy.VerifiedUser = { id: 'a' };
void user;
// @ts-expect-error -- a user without id
new Strategy(options, (_access, _refresh, profile, done) => done(null, { name: profile.displayName }));
// @ts-expect-error -- a user without id
new Strategy(options, (_access, _refresh, profile) => ({ name: profile.displayName }));
// @ts-expect-error -- a user without id
new Strategy(options, async (_access, _refresh, profile) => ({ name: profile.displayName }));
// @ts-expect-error -- a user without id
new Strategy({ ...options, verify: ({ profile }) => ({ name: profile.displayName }) });
// @ts-expect-error -- nothing at all
new Strategy({ ...options, verify: async () => undefined });
`;

/** A variable that decides whether there is a profile. */
export const PERHAPS = (className: string): string => `${HEAD(className)}
declare const five: Strategy.VerifyFunctionWithParams;
const decided = { ...options, skipUserProfile: isSkipped };
new Strategy(decided, (access, _refresh, profile, done) => {
  is<typeof profile, Profile | undefined>(true);
  done(null, { id: profile?.id ?? access });
});
new Strategy({ ...options, skipUserProfile: false }, (_access, _refresh, profile, done) => {
  is<typeof profile, Profile>(true);
  done(null, profile);
});
// @ts-expect-error -- there may be no profile
new Strategy({ ...decided, verify: ({ profile }) => ({ id: profile.id }) });
// @ts-expect-error -- a verify function that needs a profile
new Strategy({ ...options, skipUserProfile: true }, five);
`;
