/** OpenID Connect Discovery 1.0: the endpoints of a provider, from the document that it publishes. */
import { located } from '../errors/oauth2-error';
import { Problem } from '../errors/problem';
import { quote } from '../errors/redaction';
import { isJsonObject, text } from '../values/json';
import type { JsonObject } from '../values/json';
import { checkAgent, optionalNumber, requireEndpoint } from '../values/options';
import { isSuccess, jsonOf, statusProblem } from '../wire/answers';
import { Deadline } from '../wire/deadline';
import { HttpClient } from '../wire/http';
import type { Agent, HttpResponse } from '../wire/http';
import type { Endpoints } from './description';

/** Bytes of a document; real ones are below 10 000. */
const MAX_DOCUMENT_BYTES = 128 * 1024;

/** The metadata that is read (RFC 8414 §2, OpenID Connect Discovery §3). */
const METADATA = {
  authorization_endpoint: 'authorizationEndpoint',
  token_endpoint: 'tokenEndpoint',
  userinfo_endpoint: 'userInfoEndpoint',
  revocation_endpoint: 'revocationEndpoint',
  introspection_endpoint: 'introspectionEndpoint',
  jwks_uri: 'jwksUri',
  end_session_endpoint: 'endSessionEndpoint',
} as const satisfies Record<string, keyof Endpoints>;

/** Options of {@link discover}. */
export interface DiscoverOptions {
  /** Milliseconds; default 10 000. */
  timeout?: number;
  /** Sends the request, such as through a proxy, or with a private certificate authority. */
  agent?: Agent;
}

/**
 * Asks `ISSUER/.well-known/openid-configuration`, once. Call it when the application starts, and give
 * the result to a description.
 *
 * @param issuer as the provider spells it: https, or http on a loopback host; without query and fragment
 * @throws {OAuth2Error} `issuer_mismatch` when the document names another issuer,
 * `invalid_discovery_document` when an endpoint is missing or not https, `response_too_large` above
 * 128 KiB, and the codes of every request (`timeout`, `dns_error`, …); `stage` is `discover`
 * @throws {TypeError} for an issuer that is not such a URL
 * @see https://openid.net/specs/openid-connect-discovery-1_0.html#ProviderConfig
 * @example
 * const endpoints = await discover('https://id.acme.example');
 * export const acme = defineProvider({ name: 'acme', title: 'Acme', endpoints: () => endpoints, idToken: 'required' });
 */
export async function discover(issuer: string, options: DiscoverOptions = {}): Promise<Endpoints> {
  const { host, search } = new URL(requireEndpoint('discover', 'issuer', issuer));
  if (search !== '') throw new TypeError('discover: "issuer" must have no query');
  const timeout = optionalNumber('discover', 'timeout', options.timeout, 10_000, [1, 600_000]);
  const http = new HttpClient(checkAgent('discover', options.agent));
  const where = { provider: { name: host, hints: {} }, stage: 'discover', host } as const;
  return await located(where, async () => {
    // §4.1: a slash at the end of the issuer is removed first.
    const url = new URL(`${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`);
    const headers = { accept: 'application/json', 'user-agent': 'crm-oauth2' };
    const response = await http.send({ method: 'GET', url, headers }, new Deadline(timeout));
    return endpointsOf(readDocument(response), issuer);
  }).finally(() => http.close());
}

function readDocument(response: HttpResponse): JsonObject {
  if (!isSuccess(response)) throw statusProblem(response);
  if (Buffer.byteLength(response.body) > MAX_DOCUMENT_BYTES) {
    throw new Problem('response_too_large', `the document exceeds ${MAX_DOCUMENT_BYTES} bytes`);
  }
  const json = jsonOf(response);
  if (isJsonObject(json)) return json;
  throw new Problem('invalid_discovery_document', 'the document is not a JSON object');
}

function endpointsOf(document: JsonObject, issuer: string): Endpoints {
  // §4.3: both must match character by character, so that one provider cannot pose as another.
  if (document.issuer !== issuer) {
    const named = quote(text(document.issuer) ?? 'none');
    throw new Problem('issuer_mismatch', `the document is of another issuer: ${named}`);
  }
  const endpoints: Partial<Endpoints> = { issuer };
  try {
    for (const [name, field] of Object.entries(METADATA)) {
      const url = document[name];
      if (url !== undefined) endpoints[field] = requireEndpoint('the document', name, url);
    }
  } catch (error) {
    throw new Problem('invalid_discovery_document', (error as TypeError).message);
  }
  const { authorizationEndpoint, tokenEndpoint } = endpoints;
  if (authorizationEndpoint === undefined || tokenEndpoint === undefined) {
    throw new Problem(
      'invalid_discovery_document',
      'the document lacks authorization_endpoint or token_endpoint',
    );
  }
  const names = document.authorization_response_iss_parameter_supported === true;
  return Object.freeze({
    ...endpoints,
    authorizationEndpoint,
    tokenEndpoint,
    ...(names && { authorizationResponseIssParameterSupported: true }),
  });
}
