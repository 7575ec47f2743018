/** Pending logins in the session of the application: the default. */
import { Problem } from '../errors/problem';
import type { MissingAttempt } from '../protocol/authorization-response';
import { isPending } from '../protocol/login-attempt';
import type { LoginAttempt } from '../protocol/login-attempt';
import { isRecord } from './request';
import type { PassportRequest, PassportResponse } from './request';
import { inTurn } from './session-turns';
import { MAX_ATTEMPTS } from './state-store';
import type { StateStore } from './state-store';

/**
 * Pending logins are written by one top-level assignment, which every session library notices, those
 * that proxy the session object included.
 */
export class SessionStateStore implements StateStore {
  readonly #key: string;

  /** @param key the property of the session they are kept under */
  constructor(key: string) {
    this.#key = key;
  }

  /** @throws {Problem} `session_missing` */
  begin(
    req: PassportRequest,
    attempt: LoginAttempt,
    response?: PassportResponse,
  ): void | Promise<void> {
    const { session } = req;
    if (!isRecord(session)) {
      throw new Problem('session_missing', 'there is no session to keep the pending login in');
    }
    return inTurn(req, response, {
      state: attempt.state,
      has: (state) =>
        pendingIn(session).some(([, logins]) => logins.some((login) => login.state === state)),
      begin: (stored) => {
        // Of other providers too: this copy of the session is stored as a whole.
        for (const [key, logins] of pendingIn(stored)) session[key] = logins;
        const others = pendingLogins(session[this.#key]).filter(isPending);
        session[this.#key] = [...others.slice(1 - MAX_ATTEMPTS), attempt];
      },
    });
  }

  pending({ session }: PassportRequest): readonly LoginAttempt[] {
    return isRecord(session) ? pendingLogins(session[this.#key]) : [];
  }

  take(req: PassportRequest, state: string): LoginAttempt | MissingAttempt {
    const { session } = req;
    if (!isRecord(session)) return 'session_missing';
    const pending = pendingLogins(session[this.#key]);
    const found = pending.find((attempt) => attempt.state === state);
    if (!found) return 'state_unknown';
    const others = pending.filter((attempt) => attempt !== found);
    // Assigned, never deleted: not every session library sees a delete.
    session[this.#key] = others.length > 0 ? others : undefined;
    keepOverRegeneration(req, session);
    return found;
  }
}

/** Any other value under the key, such as that of an older version, counts as empty. */
function pendingLogins(stored: unknown): readonly LoginAttempt[] {
  return Array.isArray(stored) ? stored.filter(isAttempt) : [];
}

/** The pending logins of all providers, by the key of their store. */
function pendingIn(session: unknown): [key: string, logins: readonly LoginAttempt[]][] {
  return Object.entries(Object(session) as object)
    .map(([key, value]): [string, readonly LoginAttempt[]] => [key, pendingLogins(value)])
    .filter(([, logins]) => logins.length > 0);
}

function isAttempt(stored: unknown): stored is LoginAttempt {
  const attempt = Object(stored) as Partial<Record<keyof LoginAttempt, unknown>>;
  const texts = [attempt.state, attempt.codeVerifier, attempt.client, attempt.redirectUri];
  return typeof attempt.expiresAt === 'number' && texts.every((text) => typeof text === 'string');
}

/**
 * Passport gives the person a new session when the login succeeds, and with the old one it drops
 * the logins that other tabs have begun, at this provider or another. They are carried over: this
 * request's `regenerate` puts them into the session that follows.
 */
function keepOverRegeneration(req: PassportRequest, session: Record<string, unknown>): void {
  const { regenerate } = session;
  if (typeof regenerate !== 'function') return;
  const pending = pendingIn(session);
  if (pending.length === 0) return;
  const carry = () => {
    const { session: next } = req;
    if (!isRecord(next) || next === session) return;
    for (const [key, logins] of pending) next[key] ??= logins;
  };
  const carrying = function (this: unknown, ...parameters: unknown[]): unknown {
    const done = parameters.at(-1);
    if (typeof done === 'function') {
      parameters.splice(-1, 1, (...results: unknown[]): unknown => {
        carry();
        return Reflect.apply(done, undefined, results) as unknown;
      });
    }
    const result: unknown = Reflect.apply(regenerate, this, parameters);
    return result instanceof Promise ? result.then(carry) : result;
  };
  // Not enumerable, so that no store serializes it. A session that forbids it loses only the
  // other tabs, never this login.
  Reflect.defineProperty(session, 'regenerate', {
    value: carrying,
    enumerable: false,
    configurable: true,
    writable: true,
  });
}
