/** The libraries that are compared, each set up as its own documentation says. */
import { pathToFileURL } from 'node:url';
import type { Request, RequestHandler } from 'express';
import passport from 'passport';
import type PassportOAuth2 from 'passport-oauth2';
import { Strategy as SalesforceStrategy } from 'passport-salesforce-oauth2';
import { Strategy as SalesloftStrategy } from 'passport-salesloft';
import { Strategy as SalesosStrategy } from 'passport-salesos';
import { requirePeer } from '../places';
import {
  IdealIdToken,
  IdealJose,
  IdealProfile,
  IdealSalesforce,
  IdealSalesforceIdToken,
} from './ideal';
import type { PlainProfile, StrategyOptions } from './ideal';

export type Kind = 'ours' | 'ideal' | 'peer' | 'floor';

interface Described {
  title: string;
  kind: Kind;
  /** The checks that it makes of an answer. */
  checks: string;
  /** The name of the package, of ours and of the peers. */
  package?: string;
  /** Options of `passport.authenticate`. */
  authenticate?: passport.AuthenticateOptions;
}

interface StrategySubject extends Described {
  strategy: (options: StrategyOptions) => passport.Strategy | Promise<passport.Strategy>;
  middleware?: undefined;
}

/** In place of a Passport strategy. */
interface MiddlewareSubject extends Described {
  strategy?: undefined;
  middleware: (
    options: Omit<StrategyOptions, 'callbackURL'> & { baseURL: string },
  ) => RequestHandler;
}

export type Subject = StrategySubject | MiddlewareSubject;

/** A strategy of a peer that has no types here. */
type PeerStrategy = new (
  options: object,
  verify: (...values: never[]) => void,
) => passport.Strategy;

const peer = (name: string) => requirePeer(name) as unknown;
const strategyOfPeer = (name: string) => (peer(name) as { Strategy: PeerStrategy }).Strategy;
const moduleOfPeer = async (name: string) =>
  (await import(pathToFileURL(requirePeer.resolve(name)).href)) as unknown;

type Done = (error: unknown, user?: { id: string }) => void;

const byProfile = (
  _access: string,
  _refresh: string | undefined,
  profile: { id: string },
  done: Done,
) => done(null, { id: profile.id });

type MeJsonOptions = Omit<PassportOAuth2.StrategyOptions, 'pkce' | 'state'> & {
  profileURL: string;
  state?: true;
  pkce?: true;
};
type MeJsonStrategy = new (
  options: MeJsonOptions,
  verify: PassportOAuth2.VerifyFunction<PlainProfile>,
) => passport.Strategy;

/** A profile strategy as most applications write it by hand. */
function meJsonStrategy(): MeJsonStrategy {
  const OAuth2Strategy = peer('passport-oauth2') as typeof PassportOAuth2;
  return class extends OAuth2Strategy {
    readonly profileURL: string;

    constructor(options: MeJsonOptions, verify: PassportOAuth2.VerifyFunction<PlainProfile>) {
      super(options, verify);
      this.profileURL = options.profileURL;
      this._oauth2.useAuthorizationHeaderforGET(true);
    }

    override userProfile(
      accessToken: string,
      done: (error?: unknown, profile?: PlainProfile) => void,
    ): void {
      this._oauth2.get(this.profileURL, accessToken, (error, body) => {
        if (error) return done(error);
        try {
          const { data } = JSON.parse(String(body)) as {
            data: Record<'name' | 'first_name' | 'last_name' | 'email', string> & { id: number };
          };
          const profile = {
            provider: this.name,
            id: String(data.id),
            displayName: data.name,
            name: { givenName: data.first_name, familyName: data.last_name },
            emails: [{ value: data.email }],
            _raw: body,
            _json: data,
          };
          return done(null, profile);
        } catch (problem) {
          return done(problem);
        }
      });
    }
  };
}

interface OpenidClient {
  Configuration: new (server: object, clientID: string, clientSecret: string) => object;
  allowInsecureRequests(config: object): void;
  enableNonRepudiationChecks(config: object): void;
}

async function openidClient(
  { origin, callbackURL, clientID, clientSecret }: StrategyOptions,
  withSignature: boolean,
): Promise<passport.Strategy> {
  const client = (await moduleOfPeer('openid-client')) as OpenidClient;
  const { Strategy } = (await moduleOfPeer('openid-client/passport')) as { Strategy: PeerStrategy };
  const config = new client.Configuration(
    {
      issuer: `${origin}/`,
      authorization_endpoint: `${origin}/authorize`,
      token_endpoint: `${origin}/oauth/token`,
      jwks_uri: `${origin}/.well-known/jwks.json`,
      code_challenge_methods_supported: ['S256'],
    },
    clientID,
    clientSecret,
  );
  if (origin.startsWith('http:')) client.allowInsecureRequests(config);
  if (withSignature) client.enableNonRepudiationChecks(config);
  const byTokens = (tokens: { claims(): { sub: string } }, done: Done) =>
    done(null, { id: tokens.claims().sub });
  return new Strategy({ config, callbackURL, scope: 'openid profile email' }, byTokens);
}

/** The options of passport-auth0, which knows https URLs only. */
const auth0URLs = (origin: string) => ({
  domain: new URL(origin).host,
  expectedIssuer: `${origin}/`,
  authorizationURL: `${origin}/authorize`,
  tokenURL: `${origin}/oauth/token`,
  userInfoURL: `${origin}/userinfo`,
});

const salesloftURLs = (origin: string) => ({
  authorizationURL: `${origin}/oauth/authorize`,
  tokenURL: `${origin}/oauth/token`,
  profileURL: `${origin}/v2/me.json`,
});

const forcedotcom = ({ origin, ...options }: StrategyOptions, checks: object) => {
  const urls = {
    authorizationURL: `${origin}/services/oauth2/authorize`,
    tokenURL: `${origin}/services/oauth2/token`,
  };
  return new (strategyOfPeer('passport-forcedotcom'))(
    { ...options, ...urls, ...checks },
    byProfile,
  );
};

/** Sends each person to the provider and back, and asks the provider for nothing. */
class FloorStrategy extends passport.Strategy {
  override name = 'floor';
  private readonly target: string;

  constructor({ origin, callbackURL }: StrategyOptions) {
    super();
    this.target = `${origin}/authorize?redirect_uri=${encodeURIComponent(callbackURL)}`;
  }

  override authenticate(req: Request): void {
    const { code } = req.query;
    const user = { id: code };
    if (code === undefined) this.redirect(this.target);
    else this.success(user);
  }
}

const ALL = {
  floor: {
    title: 'floor',
    kind: 'floor',
    checks: '–',
    strategy: (options) => new FloorStrategy(options),
  },
  salesloft: {
    title: '**passport-salesloft**',
    kind: 'ours',
    package: 'passport-salesloft',
    checks: 'state, PKCE',
    strategy: ({ origin, ...options }) =>
      new SalesloftStrategy({ ...options, ...salesloftURLs(origin) }, byProfile),
  },
  salesos: {
    title: '**passport-salesos**',
    kind: 'ours',
    package: 'passport-salesos',
    checks: 'state, PKCE, nonce, claims, signature',
    strategy: ({ origin, ...options }) =>
      new SalesosStrategy({ ...options, issuer: `${origin}/` }, byProfile),
  },
  salesforce: {
    title: '**passport-salesforce-oauth2**',
    kind: 'ours',
    package: 'passport-salesforce-oauth2',
    checks: 'state, PKCE, nonce, claims, both signatures',
    strategy: ({ origin, ...options }) =>
      new SalesforceStrategy({ ...options, loginURL: origin }, byProfile),
  },
  salesforceIdToken: {
    title: '**passport-salesforce-oauth2**, `id_token`',
    kind: 'ours',
    package: 'passport-salesforce-oauth2',
    checks: 'state, PKCE, nonce, claims, both signatures',
    strategy: ({ origin, ...options }) =>
      new SalesforceStrategy({ ...options, loginURL: origin, profileFrom: 'id_token' }, byProfile),
  },
  idealProfile: {
    title: 'by hand, `me.json`',
    kind: 'ideal',
    checks: 'state, PKCE',
    strategy: (options) => new IdealProfile(options, byProfile),
  },
  idealIdToken: {
    title: 'by hand, ID Token',
    kind: 'ideal',
    checks: 'state, PKCE, nonce, claims, signature',
    strategy: (options) => new IdealIdToken(options, byProfile),
  },
  idealJose: {
    title: 'by hand, ID Token, jose',
    kind: 'ideal',
    checks: 'state, PKCE, nonce, claims, signature',
    strategy: (options) => new IdealJose(options, byProfile),
  },
  idealSalesforce: {
    title: 'by hand, Salesforce',
    kind: 'ideal',
    checks: 'state, PKCE, nonce, claims, both signatures',
    strategy: (options) => new IdealSalesforce(options, byProfile),
  },
  idealSalesforceIdToken: {
    title: 'by hand, Salesforce, ID Token',
    kind: 'ideal',
    checks: 'state, PKCE, nonce, claims, both signatures',
    strategy: (options) => new IdealSalesforceIdToken(options, byProfile),
  },
  oauth2: {
    title: 'passport-oauth2 + `me.json`',
    kind: 'peer',
    package: 'passport-oauth2',
    checks: 'nothing by default',
    strategy: ({ origin, ...options }) =>
      new (meJsonStrategy())({ ...options, ...salesloftURLs(origin) }, byProfile),
  },
  oauth2Checked: {
    title: 'passport-oauth2 with `state` and `pkce`',
    kind: 'peer',
    package: 'passport-oauth2',
    checks: 'state, PKCE',
    strategy: ({ origin, ...options }) => {
      // `true` stands for S256.
      const checks = { state: true, pkce: true } as const;
      const Strategy = meJsonStrategy();
      return new Strategy({ ...options, ...salesloftURLs(origin), ...checks }, byProfile);
    },
  },
  google: {
    title: 'passport-google-oauth20',
    kind: 'peer',
    package: 'passport-google-oauth20',
    checks: 'nothing by default',
    strategy: ({ origin, ...options }) => {
      const urls = {
        authorizationURL: `${origin}/authorize`,
        tokenURL: `${origin}/oauth/token`,
        userProfileURL: `${origin}/userinfo`,
        scope: ['profile', 'email'],
      };
      return new (strategyOfPeer('passport-google-oauth20'))({ ...options, ...urls }, byProfile);
    },
  },
  auth0: {
    title: 'passport-auth0',
    kind: 'peer',
    package: 'passport-auth0',
    checks: 'state, nonce, claims, no signature',
    authenticate: { scope: 'openid profile email' },
    strategy: ({ origin, ...options }) => {
      const Strategy = peer('passport-auth0') as PeerStrategy;
      type Verify = [string, string, object, { id: string }, Done];
      return new Strategy(
        { ...options, ...auth0URLs(origin) },
        (...[, , , profile, done]: Verify) => done(null, { id: profile.id }),
      );
    },
  },
  openidconnect: {
    title: 'passport-openidconnect',
    kind: 'peer',
    package: 'passport-openidconnect',
    checks: 'state, claims, no signature',
    strategy: ({ origin, ...options }) => {
      const urls = {
        issuer: `${origin}/`,
        authorizationURL: `${origin}/authorize`,
        tokenURL: `${origin}/oauth/token`,
        userInfoURL: `${origin}/userinfo`,
        scope: ['profile', 'email'],
      };
      const Strategy = peer('passport-openidconnect') as PeerStrategy;
      const verify = (_issuer: string, profile: { id: string }, done: Done) =>
        done(null, { id: profile.id });
      return new Strategy({ ...options, ...urls }, verify);
    },
  },
  forcedotcom: {
    title: 'passport-forcedotcom',
    kind: 'peer',
    package: 'passport-forcedotcom',
    checks: 'nothing',
    strategy: (options) => forcedotcom(options, {}),
  },
  forcedotcomChecked: {
    title: 'passport-forcedotcom with `state` and `pkce`',
    kind: 'peer',
    package: 'passport-forcedotcom',
    checks: 'state, PKCE',
    strategy: (options) => forcedotcom(options, { state: true, pkce: 'S256' }),
  },
  openidClient: {
    title: 'openid-client strategy',
    kind: 'peer',
    package: 'openid-client',
    checks: 'PKCE, claims',
    strategy: async (options) => await openidClient(options, false),
  },
  openidClientSigned: {
    title: 'openid-client with signature checks',
    kind: 'peer',
    package: 'openid-client',
    checks: 'PKCE, claims, signature',
    strategy: async (options) => await openidClient(options, true),
  },
  expressOpenid: {
    title: 'express-openid-connect',
    kind: 'peer',
    package: 'express-openid-connect',
    checks: 'state, PKCE, nonce, claims, signature',
    middleware: ({ origin, baseURL, clientID, clientSecret }) => {
      const { auth } = peer('express-openid-connect') as { auth(options: object): RequestHandler };
      return auth({
        issuerBaseURL: origin,
        baseURL,
        clientID,
        clientSecret,
        secret: 'a secret of at least thirty-two characters',
        authRequired: false,
        authorizationParams: { response_type: 'code', scope: 'openid profile email' },
      });
    },
  },
} satisfies Record<string, Subject>;

export type SubjectName = keyof typeof ALL;
export const SUBJECTS: Readonly<Record<SubjectName, Subject>> = ALL;
export const SUBJECT_NAMES = Object.keys(ALL) as SubjectName[];
