/**
 * The application's verify function: Passport's handshake by number of arguments, and ours by one
 * typed object. The only place where arguments are counted.
 */
import type { Deadline } from '../deadline';
import { Problem } from '../errors';
import type { JsonObject } from '../json';
import type { Profile } from '../provider';
import type { TokenSet } from '../token-set';
import type { LoginRequest } from './request';

/** Passport's `done(err, user, info)`. */
export type Done = (error?: unknown, user?: unknown, info?: object) => void;

/**
 * Passport's classic verify function, with the arity rules of passport-oauth2: `params`, the whole
 * token response, before `profile` when the function declares one argument more.
 * It calls `done`, or returns a promise of the user (`false` or `null` to refuse).
 */
export type VerifyFunction<P extends Profile = Profile> =
  | ((accessToken: string, refreshToken: string, profile: P, done: Done) => unknown)
  | ((
      accessToken: string,
      refreshToken: string,
      params: JsonObject,
      profile: P,
      done: Done,
    ) => unknown);

/** The same under `passReqToCallback: true`: the request comes first. */
export type VerifyFunctionWithRequest<P extends Profile = Profile, Req = LoginRequest> =
  | ((req: Req, accessToken: string, refreshToken: string, profile: P, done: Done) => unknown)
  | ((
      req: Req,
      accessToken: string,
      refreshToken: string,
      params: JsonObject,
      profile: P,
      done: Done,
    ) => unknown);

/** What the typed form of verify is given. */
export interface VerifyContext<P extends Profile = Profile, Req = LoginRequest> {
  tokens: TokenSet;
  /** Absent only under `skipUserProfile`. */
  profile: P;
  req: Req;
  /** The application's own state, as passed to `authenticate`. */
  state: unknown;
}

/** `options.verify`: returns the user, or `false` to refuse. */
export type TypedVerify<P extends Profile = Profile> = (context: VerifyContext<P>) => unknown;

export interface Verified {
  user: unknown;
  info?: object;
}

/** One call of verify, whichever form it has. */
export type Verify<P extends Profile> = (
  context: VerifyContext<P>,
  deadline: Deadline,
) => Promise<Verified>;

/** The typed form: one object in, the user out. */
export function typedVerify<P extends Profile>(verify: TypedVerify<P>): Verify<P> {
  return async (context, deadline) => {
    const user = await deadline.wait((async () => await verify(context))(), 'verify_timeout');
    if (user === undefined) {
      throw new Problem('verify_returned_nothing', 'the verify function returned undefined');
    }
    return { user };
  };
}

/** The classic form. The first outcome wins, be it a call of `done` or the promise. */
export function classicVerify<P extends Profile>(
  verify: VerifyFunction<P> | VerifyFunctionWithRequest<P>,
  passReqToCallback: boolean,
): Verify<P> {
  return async ({ tokens, profile, req }, deadline) => {
    const call = verify as (...parameters: unknown[]) => unknown;
    const withParams = verify.length === (passReqToCallback ? 6 : 5);
    const settled = new Promise<Verified>((resolve, reject) => {
      const done: Done = (error, user, info) => {
        if (error) reject(error);
        else resolve({ user, info });
      };
      const result = call(
        ...(passReqToCallback ? [req] : []),
        tokens.accessToken,
        tokens.refreshToken,
        ...(withParams ? [tokens.response] : []),
        profile,
        done,
      );
      // `undefined` from an async function that calls `done` later is not an outcome.
      Promise.resolve(result).then((user) => {
        if (user !== undefined && typeof Reflect.get(Object(result), 'then') === 'function') {
          resolve({ user });
        }
      }, reject);
    });
    return await deadline.wait(settled, 'verify_timeout');
  };
}
