/** Pending logins in encrypted cookies, without a server session. */
import { createHash } from 'node:crypto';
import { Problem } from '../errors/problem';
import type { MissingAttempt } from '../protocol/authorization-response';
import { LOGIN_ATTEMPT_LIFETIME_MS } from '../protocol/login-attempt';
import type { LoginAttempt } from '../protocol/login-attempt';
import { ownFields } from '../values/json';
import { Seal } from '../values/seal';
import type { PassportRequest, PassportResponse } from './request';
import { isResponse } from './response';
import { MAX_ATTEMPTS } from './state-store';
import type { StateStore } from './state-store';

export interface CookieStateStoreOptions {
  /**
   * Secrets of at least 32 characters. The first one encrypts; all of them decrypt, so that a new
   * one is put in front and the old one removed ten minutes later.
   */
  secrets: readonly string[];
  /** Set `Secure` and the `__Host-` prefix; default true, set it to false for http on localhost. */
  secure?: boolean;
}

/** Browsers drop a cookie of more than 4096 bytes, its name and attributes included. */
const MAX_VALUE_BYTES = 3800;

/**
 * Bytes of all cookies of pending logins together. Servers refuse requests with larger headers (431),
 * and a link may have made the state of the application long.
 */
const MAX_COOKIE_BYTES = 8192;

/**
 * One encrypted cookie (JWE, A256GCM) for each pending login: several machines, serverless. HttpOnly,
 * SameSite=Lax, gone after ten minutes.
 *
 * A cookie cannot be taken back from a browser that keeps a copy. The strategy remembers the logins it
 * has finished; between processes, the provider's single-use codes stop a replay.
 */
export class CookieStateStore implements StateStore {
  readonly #seal: Seal;
  readonly #secure: boolean;
  readonly #prefix: string;

  /** @throws {TypeError} when there is no secret, or one is too short */
  constructor(options: CookieStateStoreOptions) {
    const { secrets, secure = true } = ownFields(options ?? {});
    this.#seal = new Seal('CookieStateStore', secrets, 'login attempt');
    this.#secure = secure;
    this.#prefix = `${this.#secure ? '__Host-' : ''}crm-login.`;
  }

  /** @throws {Problem} `state_too_large`, `response_missing` */
  async begin(
    req: PassportRequest,
    attempt: LoginAttempt,
    response?: PassportResponse,
  ): Promise<void> {
    const value = await this.#seal.seal({ attempt: { ...attempt } as never });
    const res = required(response ?? req.res);
    if (value.length > MAX_VALUE_BYTES) {
      throw new Problem('state_too_large', 'the state of the application does not fit in a cookie');
    }
    const name = `${this.#prefix}${attempt.expiresAt.toString(36)}.${nameOf(attempt.state)}`;
    let left = MAX_COOKIE_BYTES - name.length - value.length;
    for (const [index, other] of this.#cookies(req).toReversed().entries()) {
      left -= other.join('').length;
      // The latest come first: the first one that is too many, and all that are older, go.
      if (index >= MAX_ATTEMPTS - 1 || left < 0) this.#set(res, other[0], '', 0);
    }
    this.#set(res, name, value, LOGIN_ATTEMPT_LIFETIME_MS / 1000);
  }

  async pending(req: PassportRequest): Promise<readonly LoginAttempt[]> {
    const contents = this.#cookies(req).map(async ([, value]) => await this.#seal.open(value));
    const attempts = (await Promise.all(contents)).map((content) => content?.attempt);
    return attempts.filter((attempt) => attempt !== undefined) as never;
  }

  /** @throws {Problem} `response_missing` */
  async take(
    req: PassportRequest,
    state: string,
    response?: PassportResponse,
  ): Promise<LoginAttempt | MissingAttempt> {
    const suffix = `.${nameOf(state)}`;
    const found = this.#cookies(req).find(([name]) => name.endsWith(suffix));
    if (!found) return 'state_unknown';
    const [name, value] = found;
    this.#set(required(response ?? req.res), name, '', 0);
    const content = await this.#seal.open(value);
    return (content?.attempt as LoginAttempt | undefined) ?? 'state_unknown';
  }

  /** Names and values of the cookies. The names begin with the time, so that the oldest come first. */
  #cookies(req: PassportRequest): [name: string, value: string][] {
    const cookies = new Map<string, string>();
    for (const pair of (req.headers.cookie ?? '').split(';')) {
      const [name = '', value] = pair.split('=', 2).map((part) => part.trim());
      if (value !== undefined && name.startsWith(this.#prefix)) cookies.set(name, value);
    }
    return [...cookies].toSorted(([a], [b]) => (a < b ? -1 : 1));
  }

  /** A `maxAgeSeconds` of 0 removes the cookie. */
  #set(res: PassportResponse, name: string, value: string, maxAgeSeconds: number): void {
    const cookie = `${name}=${value}; Path=/; Max-Age=${maxAgeSeconds}; HttpOnly; SameSite=Lax${this.#secure ? '; Secure' : ''}`;
    const earlier = res.getHeader('set-cookie');
    const list = Array.isArray(earlier) ? earlier : earlier === undefined ? [] : [String(earlier)];
    res.setHeader('Set-Cookie', [...list, cookie]);
  }
}

/** A hash of the `state`, so that the cookie's name does not show it. */
function nameOf(state: string): string {
  return createHash('sha256').update(state).digest('base64url').slice(0, 22);
}

function required(res: unknown): PassportResponse {
  if (isResponse(res)) return res;
  throw new Problem('response_missing', 'there is no response to set the cookie on');
}
