/** The options of a client: their types, and how the constructor judges them. */
import type { OutgoingHttpHeaders } from 'node:http';
import { adviceOnExtras } from './protocol/authorization-request';
import type { ClientCredentials } from './protocol/client-authentication';
import type { Environment } from './protocol/login-attempt';
import type { JudgeChoice, Provider, SlotContext } from './provider/description';
import type { Profile } from './provider/standard-claims';
import { ownFields, withoutUndefined } from './values/json';
import {
  checkAgent,
  checkHeaders,
  checkProviderOptions,
  optionalNumber,
  optionalSecret,
  refuseUnknownOptions,
  requireBoolean,
  requireEndpoint,
  requireString,
  scopeList,
} from './values/options';
import type { Agent } from './wire/http';

/** The options every client takes, whatever the provider. */
export interface ClientOptions extends ClientCredentials {
  /** Scopes to ask for, a list or one text with spaces. Default: those of the provider. */
  scope?: string | readonly string[];
  /** Asks for a refresh token, by the scopes that the provider wants for it. Default: `false`. */
  offline?: boolean;
  /** Milliseconds for a whole exchange, every request of it together. Default: `10000`. */
  timeout?: number;
  /** Used for every request: corporate proxy, client certificate, private authority. Default: one that keeps connections. */
  agent?: Agent;
  /** Seconds by which the provider's clock and ours may differ. Default: `60`. */
  clockTolerance?: number;
  /**
   * Seconds that an access token is taken to live when the provider does not say. Default: those of the
   * provider, if it has any.
   */
  assumedLifetime?: number;
  /** Sent with every request; cannot replace the headers of the protocol. Default: none. */
  customHeaders?: Readonly<OutgoingHttpHeaders>;
}

/** The names of {@link ClientOptions}. */
export const CLIENT_OPTIONS = [
  'clientID',
  'clientSecret',
  'scope',
  'offline',
  'timeout',
  'agent',
  'clockTolerance',
  'assumedLifetime',
  'customHeaders',
] as const satisfies readonly (keyof ClientOptions)[];

/** Timers of the platform cannot wait for longer than days; a login waits for minutes at most. */
export const TIMEOUT_RANGE_MS = [1, 600_000] as const;

/** The judged options of one client. */
export interface ClientSettings<Options extends object> {
  /** The context of the description's slots; frozen. */
  context: SlotContext<Options>;
  scope: readonly string[];
  /** Asked for beside any others. */
  offlineScopes: readonly string[];
  timeoutMs: number;
  agent: Agent | undefined;
  clockToleranceSeconds: number;
  assumedLifetimeSeconds: number | undefined;
  headers: Readonly<OutgoingHttpHeaders>;
}

/** @throws {TypeError} naming the option that is missing, unknown or wrong */
export function judgeClientOptions<Options extends object, P extends Profile>(
  provider: Provider<Options, P>,
  given: ClientOptions & Options,
): ClientSettings<Options> {
  const owner = provider.title;
  const options = ownFields(given);
  refuseUnknownOptions(
    owner,
    options,
    [...CLIENT_OPTIONS, ...Object.keys(provider.options)],
    () => ({
      ...adviceOnExtras(provider.extras, (name) => `pass "${name}" to beginLogin(), in extras`),
      callbackURL: 'pass it to beginLogin(), as redirectUri',
    }),
  );
  checkProviderOptions(owner, options, provider.options);
  requireBoolean(owner, 'offline', options.offline);
  const clientSecret = optionalSecret(owner, options);
  if (clientSecret !== undefined && provider.clientAuthentication === 'none') {
    throw new TypeError(`${owner}: takes public clients only; leave "clientSecret" out`);
  }
  requireString(owner, 'clientID', options.clientID);
  const number = (name: keyof ClientOptions, fallback: number, range: readonly [number, number]) =>
    optionalNumber(owner, name, options[name], fallback, range);
  const endpoints = Object.freeze(ownFields(withoutUndefined(provider.endpoints(options))));
  for (const [name, url] of Object.entries(endpoints) as [string, unknown][]) {
    if (typeof url !== 'boolean') requireEndpoint(owner, name, url);
  }
  if (provider.idToken !== 'none' && endpoints.jwksUri === undefined) {
    throw new TypeError(
      `${owner}: an ID Token is verified with the keys of "jwksUri", which is missing`,
    );
  }
  if (provider.idToken !== 'none' && !endpoints.issuer && !provider.idTokenIssuers) {
    throw new TypeError(`${owner}: an ID Token is compared with "issuer", which is missing`);
  }
  return {
    context: Object.freeze({
      provider: provider.name,
      options: Object.freeze(ownFields({ ...options, clientSecret })),
      endpoints,
    }),
    scope: scopeList(owner, options.scope) ?? provider.scope,
    offlineScopes: options.offline === true ? provider.offlineScopes : [],
    timeoutMs: number('timeout', 10_000, TIMEOUT_RANGE_MS),
    agent: checkAgent(owner, options.agent),
    clockToleranceSeconds: number('clockTolerance', 60, [0, 600]),
    assumedLifetimeSeconds:
      options.assumedLifetime === undefined
        ? provider.assumedLifetime
        : number('assumedLifetime', 0, [1, 31_536_000]),
    headers: checkHeaders(owner, options.customHeaders),
  };
}

/**
 * The options that one login may choose, each in the form that its judge gives it.
 *
 * @throws {Problem} of the judge, for a value that is not allowed
 * @throws {TypeError} for the name of any other option
 */
export function judgeEnvironment<Options extends object, P extends Profile>(
  provider: Provider<Options, P>,
  choice: Readonly<Record<string, unknown>>,
  options: Readonly<Options>,
): Environment {
  const judges = provider.environment as Readonly<Record<string, JudgeChoice<Options>>>;
  refuseUnknownOptions(provider.title, choice, Object.keys(judges));
  const judged = Object.entries(ownFields(judges))
    .filter(([name]) => choice[name] !== undefined)
    .map(([name, judge]) => [name, judge(choice[name], options)]);
  return Object.freeze(Object.fromEntries(judged) as Record<string, string>);
}
