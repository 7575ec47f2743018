/** Types beside those of Passport: the options of `authenticate`, and `req.authInfo`. Nothing runs here. */
import type { ErrorCode } from '../errors/codes';
import type { LoginResponse } from './response';

/** The options that Passport itself reads. They are written here too, so that editors can show them. */
export interface PassportOptions {
  /** Keeps the person signed in by the session. Default: `true`. */
  session?: boolean | undefined;
  /** Where to go after a login that succeeded. Default: on to the next handler of the route. */
  successRedirect?: string | undefined;
  /** The same, unless `req.session.returnTo` says otherwise. Default: none. */
  successReturnToOrRedirect?: string | undefined;
  /** Adds a message to `req.session.messages`: this text, or with `true` that of the login. Default: none. */
  successMessage?: string | boolean | undefined;
  /** Calls `req.flash` with this text, or with `true` with that of the login. Default: none. */
  successFlash?: string | boolean | undefined;
  /** Where to go after a login that was refused. Default: an answer with the status of the refusal. */
  failureRedirect?: string | undefined;
  /** Adds a message to `req.session.messages`: this text, or with `true` that of the refusal. Default: none. */
  failureMessage?: string | boolean | undefined;
  /** Calls `req.flash` with this text, or with `true` with that of the refusal. Default: none. */
  failureFlash?: string | boolean | undefined;
  /** Gives a refusal to the error handlers, in place of an answer. Default: `false`. */
  failWithError?: boolean | undefined;
  /** Puts the user there, such as `account`, and signs no one in. Default: `req.user`, signed in. */
  assignProperty?: string | undefined;
  /** The property of the request that has the user. Default: `user`. */
  userProperty?: string | undefined;
  /** Sets `req.authInfo`. Default: `true`. */
  authInfo?: boolean | undefined;
  /** Keeps the data of the session, which Passport renews at each login. Default: `false`. */
  keepSessionInfo?: boolean | undefined;
  /** Read by Passport's session strategy. Default: `false`. */
  pauseStream?: boolean | undefined;
  /** Known to Passport's types, and read by the constructor only. Default: that of the constructor. */
  passReqToCallback?: boolean | undefined;
}

/** The options of `authenticate` that every strategy of the family takes. */
export interface LoginOptions extends PassportOptions {
  /** Scopes of this login, a list or one text with spaces. Default: those of the constructor. */
  scope?: string | readonly string[] | undefined;
  /**
   * The application's own state, any value that the session can hold. It comes back as
   * `req.authInfo.state` and never travels in the URL. Default: none.
   */
  state?: unknown;
  /** Where the provider sends the browser back to, absolute or relative. Default: that of the constructor. */
  callbackURL?: string | undefined;
  /**
   * Page to show after the login: a path of this application, or an address of its origin. Comes back as
   * `req.authInfo.returnTo`, a path. An address of another origin is left out. Default: none.
   */
  returnTo?: string | undefined;
  /**
   * The response, for `CookieStateStore` where the framework sets no `req.res`: a reply of Fastify, a context
   * of Koa, or Node's own. Default: `req.res`.
   */
  response?: LoginResponse | undefined;
}

/** How the provider meets the person. `Value` has the words that the provider knows. */
export interface PromptOptions<Value extends string> {
  /** Pages that the provider shows even if it could do without. Default: those that are needed. */
  prompt?: Prompts<Value> | undefined;
  /** User name or e-mail address, to fill in the provider's form with. Default: none. */
  loginHint?: string | undefined;
}

/** One word, two with a space between them, or a list (OpenID Connect Core §3.1.2.1); `none` stands alone. */
export type Prompts<Value extends string> =
  Value | `${Exclude<Value, 'none'>} ${Exclude<Value, 'none'>}` | readonly Exclude<Value, 'none'>[];

/** For providers whose ID Token says when the person signed in. */
export interface MaxAgeOptions {
  /**
   * Seconds, at most, since the person last signed in (OpenID Connect Core §3.1.2.1); `0` asks for a new
   * sign-in. The ID Token is checked. Default: any time.
   */
  maxAge?: number | undefined;
}

/** A method, because TypeScript lets an application narrow the arguments of methods only. */
interface Handlers {
  callback(
    error: unknown,
    user?: Express.User | false | null,
    info?: object | string | (string | undefined)[],
    status?: number | (number | undefined)[],
  ): unknown;
}

/** The callback of `authenticate`, in place of Passport's own answer. */
export type AuthenticateCallback = Handlers['callback'];

/** Something that a login lacks, though it succeeds: `refresh_token_missing`. */
export interface LoginWarning {
  code: ErrorCode;
  message: string;
  /** The remedy. */
  hint?: string;
}

/** The members of `req.authInfo`, each only where there is something to say. */
export interface LoginInfo {
  /** The application's own state, as passed to `authenticate`. */
  state?: unknown;
  /** The page to show now, as passed to `authenticate`: a path of this application. */
  returnTo?: string;
  /** The key of the tenant that the login was for. */
  tenant?: string;
  /** Of a refused login: what it chose, such as Salesforce's `loginURL`. After a success, the tokens have it. */
  environment?: Readonly<Record<string, string>>;
  warnings?: readonly LoginWarning[];
}

declare global {
  namespace Express {
    // Inherited, so that an application can declare `state` as its own type.
    interface AuthInfo extends LoginInfo {}
    // Passport's types and the application say more.
    interface User {}
  }
}
