import { createHash, hkdfSync } from 'node:crypto';
import { Problem } from '../errors/oauth2-error';
import { loadJose } from '../values/jose';
import type { MissingAttempt } from '../protocol/authorization-response';
import { LOGIN_ATTEMPT_LIFETIME } from '../protocol/login-attempt';
import type { LoginAttempt } from '../protocol/login-attempt';
import type { LoginRequest, LoginResponse } from './request';
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
const MAX_VALUE_LENGTH = 3800;

/**
 * Pending logins in an encrypted cookie each (JWE, A256GCM): no server session, several machines,
 * serverless. HttpOnly, SameSite=Lax, gone after ten minutes.
 *
 * A cookie cannot be taken back from a browser that keeps a copy. The strategy remembers what it has
 * taken; between processes, the provider's single-use codes are what stops a replay.
 */
export class CookieStateStore implements StateStore {
  readonly #keys: readonly Uint8Array[];
  readonly #secure: boolean;
  readonly #prefix: string;

  /** @throws {TypeError} when there is no secret, or one is too short */
  constructor(options: CookieStateStoreOptions) {
    const secrets: unknown = options?.secrets;
    const strong = (secret: unknown) => typeof secret === 'string' && secret.length >= 32;
    if (!Array.isArray(secrets) || secrets.length === 0 || !secrets.every(strong)) {
      throw new TypeError(
        'CookieStateStore: option "secrets" must be an array of strings of at least 32 characters',
      );
    }
    this.#keys = options.secrets.map(
      (secret) => new Uint8Array(hkdfSync('sha256', secret, '', 'crm-oauth2 pending login', 32)),
    );
    this.#secure = options.secure ?? true;
    this.#prefix = `${this.#secure ? '__Host-' : ''}crm-login.`;
  }

  async begin(req: LoginRequest, attempt: LoginAttempt, response?: LoginResponse): Promise<void> {
    const { EncryptJWT } = await loadJose();
    const value = await new EncryptJWT({ attempt })
      .setProtectedHeader({ alg: 'dir', enc: 'A256GCM' })
      .setExpirationTime(Math.ceil(attempt.expiresAt / 1000))
      .encrypt(this.#keys[0] as Uint8Array);
    const res = responseOf(req, response);
    if (value.length > MAX_VALUE_LENGTH) {
      throw new Problem('state_too_large', 'the state of the application does not fit in a cookie');
    }
    for (const name of this.#names(req).slice(0, 1 - MAX_ATTEMPTS)) this.#clear(res, name);
    this.#set(res, this.#name(attempt), value, LOGIN_ATTEMPT_LIFETIME / 1000);
  }

  async take(
    req: LoginRequest,
    state: string,
    response?: LoginResponse,
  ): Promise<LoginAttempt | MissingAttempt> {
    const suffix = `.${hash(state)}`;
    const name = this.#names(req).find((candidate) => candidate.endsWith(suffix));
    if (name === undefined) return 'state_unknown';
    this.#clear(responseOf(req, response), name);
    return await this.#decrypt(cookiesOf(req).get(name) as string);
  }

  async #decrypt(value: string): Promise<LoginAttempt | MissingAttempt> {
    const { jwtDecrypt, errors } = await loadJose();
    for (const key of this.#keys) {
      try {
        const { payload } = await jwtDecrypt(value, key, {
          keyManagementAlgorithms: ['dir'],
          contentEncryptionAlgorithms: ['A256GCM'],
        });
        return payload.attempt as LoginAttempt;
      } catch (error) {
        if (error instanceof errors.JWTExpired) return 'state_expired';
      }
    }
    return 'state_unknown';
  }

  /** The time first, so that the oldest sort first; the state only as a hash. */
  #name(attempt: LoginAttempt): string {
    return `${this.#prefix}${attempt.expiresAt.toString(36)}.${hash(attempt.state)}`;
  }

  #names(req: LoginRequest): string[] {
    return [...cookiesOf(req).keys()].filter((name) => name.startsWith(this.#prefix)).toSorted();
  }

  #clear(res: LoginResponse, name: string): void {
    this.#set(res, name, '', 0);
  }

  #set(res: LoginResponse, name: string, value: string, maxAgeSeconds: number): void {
    const cookie = `${name}=${value}; Path=/; Max-Age=${maxAgeSeconds}; HttpOnly; SameSite=Lax${this.#secure ? '; Secure' : ''}`;
    const earlier = res.getHeader('set-cookie');
    const list = Array.isArray(earlier) ? earlier : earlier === undefined ? [] : [String(earlier)];
    res.setHeader('Set-Cookie', [...list, cookie]);
  }
}

function hash(state: string): string {
  return createHash('sha256').update(state).digest('base64url').slice(0, 22);
}

function responseOf(req: LoginRequest, response: LoginResponse | undefined): LoginResponse {
  const res = response ?? req.res;
  if (typeof Reflect.get(Object(res), 'setHeader') === 'function') return res as LoginResponse;
  throw new Problem('response_missing', 'there is no response to set the cookie on');
}

function cookiesOf(req: LoginRequest): Map<string, string> {
  const cookies = new Map<string, string>();
  for (const pair of (req.headers.cookie ?? '').split(';')) {
    const [name, value] = pair.split('=', 2) as [string, string | undefined];
    if (value !== undefined) cookies.set(name.trim(), value.trim());
  }
  return cookies;
}
