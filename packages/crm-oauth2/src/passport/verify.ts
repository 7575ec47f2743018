/** The application's verify function in one form. The only file that counts arguments. */
import type OAuth2Strategy = require('passport-oauth2');
import { isPromise } from 'node:util/types';
import type { Deadline } from '../wire/deadline';
import { Problem } from '../errors/problem';
import type { JsonObject } from '../values/json';
import type { Profile } from '../provider/standard-claims';
import type { LoginInfo } from './passport-types';
import type { TokenSet } from '../protocol/token-set';

/** The request as Passport's own types know it. */
export type Request = Parameters<OAuth2Strategy['authenticate']>[0];

/** The user, as the application declares `Express.User`; `false` or `null` refuses the person. */
export type VerifiedUser = Express.User | false | null;

/** Passport's `done(err, user, info)`. */
export type Done = (error?: unknown, user?: VerifiedUser, info?: object) => void;

/** Nothing, where `done` is called. */
type Answer = VerifiedUser | undefined | void;

/**
 * Passport's classic verify function. It calls `done`, or returns a promise of the user (`false` or
 * `null` to refuse). One that declares no `done` returns the user, or a promise of the user.
 *
 * @typeParam P `undefined` under `skipUserProfile: true`
 */
export type VerifyFunction<P extends Profile | undefined = Profile> = (
  accessToken: string,
  refreshToken: string | undefined,
  profile: P,
  done: Done,
) => Answer | Promise<Answer>;

/** With one argument more: `params` is the whole token response. */
export type VerifyFunctionWithParams<P extends Profile | undefined = Profile> = (
  accessToken: string,
  refreshToken: string | undefined,
  params: Readonly<JsonObject>,
  profile: P,
  done: Done,
) => Answer | Promise<Answer>;

/** Under `passReqToCallback: true` the request comes first. */
export type VerifyFunctionWithRequest<P extends Profile | undefined = Profile> = (
  req: Request,
  ...rest: Parameters<VerifyFunction<P>>
) => Answer | Promise<Answer>;

export type VerifyFunctionWithRequestAndParams<P extends Profile | undefined = Profile> = (
  req: Request,
  ...rest: Parameters<VerifyFunctionWithParams<P>>
) => Answer | Promise<Answer>;

/** Any of the classic forms; passport-oauth2's arity rules tell them apart. */
export type AnyVerifyFunction<P extends Profile | undefined = Profile> =
  | VerifyFunction<P>
  | VerifyFunctionWithParams<P>
  | VerifyFunctionWithRequest<P>
  | VerifyFunctionWithRequestAndParams<P>;

/** The argument of the typed form of verify. */
export interface VerifyContext<P extends Profile | undefined = Profile> extends Omit<
  LoginInfo,
  'state'
> {
  tokens: TokenSet;
  /** `undefined` only under `skipUserProfile`. */
  profile: P;
  req: Request;
  /** The application's own state, as passed to `authenticate`. */
  state: unknown;
  /** Aborted with the error `verify_timeout` once `verifyTimeout` is over, and the login with it. */
  signal: AbortSignal;
}

/** `options.verify`: returns the user, or `false` to refuse. */
export type TypedVerify<P extends Profile | undefined = Profile> = (
  context: VerifyContext<P>,
) => VerifiedUser | PromiseLike<VerifiedUser>;

export interface Verified {
  user: unknown;
  info?: object;
}

/** One call of verify, in either form, and the time by which it must be over. */
export type Verify = (
  context: Omit<VerifyContext, 'signal'>,
  deadline: Deadline,
) => Verified | Promise<Verified>;

/** The typed form: one object in, the user out. */
export function typedVerify(verify: TypedVerify): Verify {
  return async (context, deadline) => {
    const controller = new AbortController();
    const call = async () => await verify({ ...context, signal: controller.signal });
    try {
      const user = await deadline.wait(call(), 'verify_timeout');
      if (user === undefined) throw returnedNothing();
      return { user };
    } catch (error) {
      controller.abort(error);
      throw error;
    }
  };
}

function returnedNothing(): Problem {
  return new Problem('verify_returned_nothing', 'the verify function returned undefined');
}

/** The classic form. The first outcome wins, be it a call of `done` or the promise. */
export function classicVerify(verify: AnyVerifyFunction, passReqToCallback: boolean): Verify {
  return ({ tokens, profile, req }, deadline) => {
    const call = verify as (...parameters: unknown[]) => unknown;
    const withParams = verify.length === (passReqToCallback ? 6 : 5);
    const takesDone = verify.length === 0 || verify.length >= (passReqToCallback ? 5 : 4);
    const settled = new Promise<Verified>((resolve, reject) => {
      const done: Done = (error, user, info) => (error ? reject(error) : resolve({ user, info }));
      const result = call(
        ...(passReqToCallback ? [req] : []),
        tokens.accessToken,
        tokens.refreshToken,
        ...(withParams ? [structuredClone(tokens.response)] : []),
        profile,
        done,
      );
      // Beside `done`, promises only: a timer is not a user, and calling `then` on the query of a
      // database library would run it again.
      if (takesDone && !isPromise(result)) return;
      Promise.resolve(result).then((user) => {
        // `undefined` from an async function that calls `done` later is not an outcome.
        if (user !== undefined) resolve({ user });
        else if (!takesDone) reject(returnedNothing());
      }, reject);
    });
    return deadline.wait(settled, 'verify_timeout');
  };
}
