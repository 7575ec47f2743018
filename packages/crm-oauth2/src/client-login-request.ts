/** The request for one login: its type, and how it is judged. */
import type { ClientSettings } from './client-options';
import { adviceOnExtras } from './protocol/authorization-request';
import type { Provider } from './provider/description';
import { ownFields } from './values/json';
import { checkExtra, refuseUnknownOptions } from './values/options';

/** The request for one login. */
export interface LoginRequest {
  /** Absolute. Registered at the provider, character by character. */
  redirectUri: string;
  /** Default: the scopes of the client. */
  scope?: string | readonly string[];
  /** Typed extras of the provider: `{ prompt: 'login', loginHint: 'zoe@example.com' }`. */
  extras?: Readonly<Record<string, unknown>>;
  /** Any other parameter, by its wire name; those of the protocol cannot be overridden. */
  parameters?: Readonly<Record<string, unknown>>;
  /** The application's own state: kept with the attempt, never in the URL. */
  appState?: unknown;
}

const REQUEST_FIELDS = [
  'redirectUri',
  'scope',
  'extras',
  'parameters',
  'appState',
] as const satisfies readonly (keyof LoginRequest)[];

/** @throws {TypeError} naming a field that is unknown, and the one that was probably meant */
export function judgeLoginRequest(provider: Provider, given: LoginRequest): LoginRequest {
  const request = ownFields(given);
  refuseUnknownOptions(provider.title, request, REQUEST_FIELDS, () => ({
    ...adviceOnExtras(provider.extras, (name) => `pass "${name}" in extras`),
    callbackURL: 'did you mean "redirectUri"?',
    state: 'did you mean "appState"?',
  }));
  return request;
}

/**
 * Everything beside the protocol's own parameters, by wire name: the provider's, the hook's, the extras.
 *
 * @throws {TypeError} for an extra that is unknown, or not of a kind that the URL can carry
 */
export function extraParameters<Options extends object>(
  provider: Provider<Options>,
  { context }: Pick<ClientSettings<Options>, 'context'>,
  request: LoginRequest,
): Record<string, unknown> {
  const extras = ownFields(request.extras ?? {});
  const { title, boundParameters, requestParameters } = provider;
  const wireNames = provider.extras;
  refuseUnknownOptions(title, extras, Object.keys(wireNames), () =>
    adviceOnExtras(wireNames, (name) => `did you mean "${name}"?`),
  );
  const provided = requestParameters?.('authorization', context);
  const merged = ownFields<Record<string, unknown>>({}, provided, request.parameters);
  for (const [name, value] of Object.entries(extras)) {
    const wireName = wireNames[name] as string;
    merged[wireName] = value ?? merged[wireName];
  }
  for (const name of ['max_age', ...boundParameters]) {
    const value = merged[name] ?? '';
    // Any other value could reach the URL in another form than the one that is checked, or not at all.
    if (typeof value === 'string' || (name === 'max_age' && typeof value === 'number')) continue;
    throw new TypeError(`${title}: "${name}" must be a string`);
  }
  for (const [name, value] of Object.entries(extras)) {
    if (name !== 'maxAge') checkExtra(title, name, value);
  }
  return merged;
}
