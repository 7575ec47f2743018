/** The parts of a login: what the strategy sets up once, and what belongs to one call of `authenticate`. */
import type { OAuth2Client } from '../client';
import type { ParseErrorResponse } from '../client-requests';
import type { LoginAttempt } from '../protocol/login-attempt';
import type { TokenSet } from '../protocol/token-set';
import type { Deadline } from '../wire/deadline';
import type { AuthenticateOptions, AuthenticateOptionsCheck } from './authenticate-options';
import type { RecentLogins } from './recent-logins';
import type { Registrations } from './registrations';
import type { PassportRequest } from './request';
import type { StateStore } from './state-store';
import type { Chooser, StrategyOptions, extrasOfLinks } from './strategy-options';
import type { Verify } from './verify';

/** The outcome of one call of `authenticate`: exactly one of Passport's verbs, and its arguments. */
export type Outcome =
  | { verb: 'redirect'; values: [url: string] }
  | { verb: 'success'; values: [user: unknown, info: object | undefined] }
  | { verb: 'fail'; values: [info: object, status: number | undefined] }
  | { verb: 'error'; values: [error: unknown] };

/** Set up once by a strategy, and shared by all its logins. */
export interface LoginSettings extends Pick<
  StrategyOptions,
  'callbackURL' | 'proxy' | 'skipUserProfile' | 'verifyTimeout'
> {
  /** Of the strategy's own options; a login may have another one, by its tenant and environment. */
  client: OAuth2Client;
  registrations: Registrations;
  /** Options of the environment that are functions of the request. */
  choosers: Readonly<Record<string, Chooser>>;
  linkExtras: ReturnType<typeof extrasOfLinks>;
  store: StateStore;
  begun: RecentLogins;
  /** Apart from those begun: a start costs a stranger nothing, and must push out no completed login. */
  completed: RecentLogins;
  /** Where logins were begun so far: at the path of their callback, or at another. */
  begunAt: { callback?: true; elsewhere?: true };
  checkOptions: AuthenticateOptionsCheck;
  verify: Verify;
}

/** passport-oauth2's hooks, as a subclass may have overridden them. */
export interface LoginHooks {
  authorizationParams(): object;
  tokenParams(): object;
  /** A subclass overrides one of the two, and may read options of its own. */
  readOptions: boolean;
  parseErrorResponse?: ParseErrorResponse;
  loadProfile(client: OAuth2Client, tokens: TokenSet, deadline: Deadline): unknown;
}

/** One call of `authenticate`. */
export interface Login {
  settings: LoginSettings;
  hooks: LoginHooks;
  req: PassportRequest;
  options: AuthenticateOptions;
  deadline: Deadline;
  /** Once the attempt of the answer is known. */
  attempt: LoginAttempt | undefined;
}
