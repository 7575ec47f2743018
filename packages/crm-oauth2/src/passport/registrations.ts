/** The registration that a login is for: the one of the strategy's options, or the one of a tenant. */
import { isDeepStrictEqual } from 'node:util';
import type { OAuth2Client } from '../client';
import type { ClientOptions } from '../client-options';
import { Problem } from '../errors/problem';
import { quote } from '../errors/redaction';
import type { ClientCredentials } from '../protocol/client-authentication';
import type { LoginAttempt } from '../protocol/login-attempt';
import type { Provider } from '../provider/description';
import { ownFields } from '../values/json';
import { LruMap } from '../values/lru-map';
import { refuseUnknownOptions, requireCallbackUrl, requireString } from '../values/options';
import type { Deadline } from '../wire/deadline';
import { judgeOrganizations } from './organizations';
import { isAtCallback } from './request';
import type { PassportRequest } from './request';
import type { Request } from './verify';

/** The options of one tenant, in place of those of the strategy; and those of the provider. */
export type Tenant<Own extends object = object> = Partial<ClientCredentials> &
  Pick<ClientOptions, 'scope' | 'offline'> & {
    /** Names the tenant; at most 128 characters. It is kept with each pending login. */
    key: string;
    /** Absolute, or relative to the request. */
    callbackURL?: string;
    allowedOrganizations?: readonly string[];
  } & Partial<Own>;

/**
 * Finds the tenant of a request, at the start of a login and again at its callback.
 *
 * @param boundKey at the callback, and in `clientFor`: the key of the tenant that is wanted
 * @returns nothing when there is no such tenant
 */
export type TenantResolver<Own extends object = object> = (
  req: Request,
  boundKey?: string,
) => Tenant<Own> | null | undefined | Promise<Tenant<Own> | null | undefined>;

/** An app as it is registered at the provider, and what the application wants of its logins. */
export interface Registration {
  readonly client: OAuth2Client;
  readonly callbackURL?: string | ((req: Request) => unknown) | undefined;
  readonly allowedOrganizations?: readonly string[] | undefined;
  readonly offline?: boolean | undefined;
  /** The key of the tenant. */
  readonly tenant?: string;
}

/** Options of a tenant beside the provider's own. */
const TENANT_OPTIONS = [
  'key',
  'clientID',
  'clientSecret',
  'scope',
  'offline',
  'callbackURL',
  'allowedOrganizations',
];

/** Characters of a key. A pending login, which may be a cookie, has a copy of it. */
const MAX_KEY_LENGTH = 128;

/** Characters of a key in a message. */
const MAX_QUOTED_LENGTH = 40;

/** Clients of tenants that are kept. A forgotten one is made again when its tenant is next used. */
const MAX_TENANTS = 1000;

/** Finds registrations, and keeps the clients of tenants. */
export class Registrations {
  readonly #own: Registration;
  readonly #options: { clientSecret?: unknown };
  readonly #resolve: TenantResolver | undefined;
  readonly #kept = new LruMap<string, { options: object; registration: Registration }>(MAX_TENANTS);

  /**
   * @param own of the strategy's options
   * @param options those of its client, which the options of a tenant replace one by one; a client id
   * and its secret together
   */
  constructor(own: Registration, options: object, resolve: TenantResolver | undefined) {
    this.#own = own;
    this.#options = options;
    this.#resolve = resolve;
  }

  /** @throws {Problem} `tenant_unknown`, `tenant_timeout`, and with a key `tenant_mismatch` */
  find(
    req: PassportRequest,
    deadline: Deadline,
    boundKey?: string,
  ): Registration | Promise<Registration> {
    return this.#resolve ? this.#ofTenant(this.#resolve, req, deadline, boundKey) : this.#own;
  }

  async #ofTenant(
    resolve: TenantResolver,
    req: PassportRequest,
    deadline: Deadline,
    boundKey: string | undefined,
  ): Promise<Registration> {
    const found = await deadline.wait(resolve(req as Request, boundKey), 'tenant_timeout');
    if (found === undefined || found === null) {
      throw new Problem('tenant_unknown', 'there is no such tenant', { refusal: 403 });
    }
    const registration = this.#registered(ownFields(found));
    if (boundKey === undefined || registration.tenant === boundKey) return registration;
    throw new Problem('tenant_mismatch', 'the answer is for another tenant', { refusal: 403 });
  }

  /**
   * The registration for which an attempt was begun, and the client of its environment.
   *
   * @throws {Problem} as {@link find}, and `tenant_changed`
   */
  async of(attempt: LoginAttempt, req: PassportRequest, deadline: Deadline) {
    const { tenant, environment } = attempt;
    const { provider } = this.#own.client;
    const isForeign = Object.keys(environment ?? {}).some(
      (name) => !Object.hasOwn(provider.environment, name),
    );
    if (isForeign || (this.#resolve !== undefined && tenant === undefined)) {
      const words = isForeign ? 'of another provider' : 'of no tenant';
      const problem = `the pending login is ${words}`;
      throw new Problem('state_of_another_client', problem, { refusal: 403 });
    }
    const registration = await this.find(req, deadline, tenant);
    const { client: home } = registration;
    const client = environment === undefined ? home : home.forEnvironment(environment);
    if (registration.tenant !== undefined && client.fingerprint !== attempt.client) {
      throw new Problem('tenant_changed', 'the tenant has changed', { refusal: 403 });
    }
    // RFC 9700 §4.4.2.2: the server of one tenant may lead the browser on to that of another.
    const hasOwnCallback = registration.callbackURL !== this.#own.callbackURL;
    if (hasOwnCallback && !isAtCallback(req, attempt.redirectUri)) {
      const words = 'the answer came to another path than that of the tenant';
      throw new Problem('tenant_mismatch', words, { refusal: 403 });
    }
    return { registration, client };
  }

  /** @throws {TypeError} naming what is wrong with the tenant */
  #registered(options: Tenant): Registration {
    const { client } = this.#own;
    const { title } = client.provider;
    const key = requireString(title, 'tenant.key', options.key);
    if (key.length > MAX_KEY_LENGTH) {
      throw new TypeError(`${title}: "tenant.key" has more than ${MAX_KEY_LENGTH} characters`);
    }
    const kept = this.#kept.get(key);
    if (kept && isSame(kept.options, options)) return kept.registration;
    const registration = this.#register(client.provider, options);
    // A copy, since the application may change a list of its own later.
    this.#kept.set(key, { options: structuredClone(options), registration });
    return registration;
  }

  #register(provider: Provider, { key, callbackURL, ...rest }: Tenant): Registration {
    const { title } = provider;
    const owner = `${title}, tenant "${quote(key, [], MAX_QUOTED_LENGTH)}"`;
    const given = { key, callbackURL, ...rest };
    refuseUnknownOptions(owner, given, [...TENANT_OPTIONS, ...Object.keys(provider.options)]);
    if (callbackURL !== undefined) requireCallbackUrl(owner, 'callbackURL', callbackURL, true);
    const { allowedOrganizations: organizations, ...others } = rest;
    const options = ownFields(others);
    const own = this.#own;
    // The secret of the strategy is of its own client id.
    const { clientSecret: _, ...withoutSecret } = this.#options;
    const isOwnApp = options.clientID !== undefined;
    const usual = isOwnApp ? withoutSecret : this.#options;
    const client = own.client.sibling({ ...usual, ...options } as never, key, callbackURL ?? '');
    if (!isOwnApp) requireKnownServer(owner, own.client, client, options);
    return {
      tenant: key,
      client,
      callbackURL: callbackURL ?? own.callbackURL,
      allowedOrganizations:
        judgeOrganizations(owner, provider, organizations) ?? own.allowedOrganizations,
      offline: options.offline ?? own.offline,
    };
  }
}

/**
 * A tenant may have the app of the strategy. Its secret, and the codes of its people, go to the servers of
 * the strategy, and to those that every login may choose: a tenant names no other.
 *
 * @throws {TypeError} for another server
 * @throws {OAuth2Error} of the judge, for a choice that is not allowed
 */
function requireKnownServer(
  owner: string,
  own: OAuth2Client,
  { endpoints }: OAuth2Client,
  options: object,
): void {
  const { environment, options: known } = own.provider;
  const given = Object.entries(options).filter(([name]) => Object.hasOwn(known, name));
  const choice = given.filter(([name]) => Object.hasOwn(environment, name));
  // Beside a choice, an option may decide which choices are allowed.
  const mayWiden = Object.keys(environment).length > 0 && choice.length < given.length;
  const isKnown = () =>
    isDeepStrictEqual(own.forEnvironment(Object.fromEntries(choice)).endpoints, endpoints);
  if (!mayWiden && isKnown()) return;
  throw new TypeError(
    `${owner}: the client id and secret of the strategy must not go to a server that a tenant names; give the tenant a "clientID" of its own`,
  );
}

/** A tenant is mostly read anew for each login, and mostly the same. */
function isSame(one: object, other: object): boolean {
  const names = Object.keys(one);
  const isSameValue = (name: string) =>
    Object.hasOwn(other, name) && isEqual(Reflect.get(one, name), Reflect.get(other, name));
  return names.length === Object.keys(other).length && names.every(isSameValue);
}

function isEqual(one: unknown, other: unknown): boolean {
  if (!Array.isArray(one) || !Array.isArray(other)) return Object.is(one, other);
  return one.length === other.length && one.every((entry, index) => entry === other[index]);
}
