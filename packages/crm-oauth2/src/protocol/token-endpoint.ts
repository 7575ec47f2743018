/**
 * The token endpoint: the body that is asked, and the answer judged (RFC 6749 §3.2, §5).
 * Both are pure; the client stands between them and the network.
 */
import { Problem, quote } from '../errors/oauth2-error';
import type { HttpResponse } from '../wire/http';
import { isJsonObject, known, parseJson, text } from '../values/json';
import type { ClientCredentials } from '../provider/description';
import type { TokenSet } from './token-set';

/**
 * A request body with the client's credentials in it: `client_secret_post`, or `none` for a public
 * client (RFC 6749 §2.3.1). All three providers document this method. Never the query string.
 */
export function buildTokenRequest(
  format: 'json' | 'form',
  credentials: ClientCredentials,
  parameters: Readonly<Record<string, string | undefined>>,
): { headers: Record<string, string>; body: string } {
  const fields = {
    ...parameters,
    client_id: credentials.clientID,
    client_secret: credentials.clientSecret,
  };
  const json = format === 'json';
  // JSON leaves out what is not known by itself.
  const body = json
    ? JSON.stringify(fields)
    : new URLSearchParams(known(fields) as Record<string, string>).toString();
  return {
    headers: {
      accept: 'application/json',
      'content-type': json ? 'application/json' : 'application/x-www-form-urlencoded',
      'content-length': String(Buffer.byteLength(body)),
    },
    body,
  };
}

/** The three forms of RFC 9110 §5.6.7; `Date.parse` alone makes a date of `-5` too. */
const HTTP_DATE = /^[A-Z][a-z]{2,8},? [\w :-]{10,30}$/;

/** Seconds in `Retry-After`, from either of its forms (RFC 9110 §10.2.3). */
export function retryAfterSeconds({ headers }: Pick<HttpResponse, 'headers'>): number | undefined {
  const value = headers['retry-after'];
  if (value === undefined) return undefined;
  if (/^\d{1,9}$/.test(value)) return Number(value);
  // The oldest form names no zone, and means GMT.
  const date = HTTP_DATE.test(value) ? Date.parse(value.replace(/(?: GMT)?$/, ' GMT')) : Number.NaN;
  return Number.isNaN(date) ? undefined : Math.max(0, Math.ceil((date - Date.now()) / 1000));
}

/**
 * What a status other than success means when the body does not say.
 * Called before a body is believed, since outages answer with web pages.
 */
export function statusProblem(response: HttpResponse): Problem {
  const { status } = response;
  const details = { status, retryAfterSeconds: retryAfterSeconds(response) };
  if (status === 429) return new Problem('rate_limited', 'asked too often (429)', details);
  if (status >= 500) {
    return new Problem('provider_unavailable', `the provider failed (${status})`, details);
  }
  if (status >= 300 && status < 400) {
    return new Problem('unexpected_redirect', `answered with a redirect (${status})`, details);
  }
  return new Problem('unexpected_status', `answered with status ${status}`, details);
}

export function isSuccess(response: HttpResponse): boolean {
  return response.status >= 200 && response.status < 300;
}

/** RFC 6749 §5.2 and §4.1.2.1: what a server with a fault may still say about the request. */
const ERRORS: readonly string[] = [
  'invalid_request',
  'invalid_client',
  'invalid_grant',
  'unauthorized_client',
  'unsupported_grant_type',
  'invalid_scope',
  'server_error',
  'temporarily_unavailable',
];

/** `ProviderDescription.tokenErrorCode` */
type CodeOf = (error: string, description: string) => string | undefined;

/** JSON as RFC 6749 §5.2 has it, or a form, which Salesforce's revocation endpoint answers with. */
function errorBody({ body, headers }: HttpResponse): unknown {
  const type = headers['content-type'];
  if (type?.startsWith('application/x-www-form-urlencoded')) {
    return Object.fromEntries(new URLSearchParams(body));
  }
  try {
    return parseJson(body, type);
  } catch {
    return undefined;
  }
}

/**
 * RFC 6749 §5.2. Judged by `error`, never by the status: Auth0 documents 400 and sends 403. In a
 * failure of the server itself, words the RFC does not know are only details of an outage.
 *
 * @param secrets what was sent, so that a provider's echo of it never reaches a message
 * @param codeOf the provider's own code for an `error`, see `ProviderDescription.tokenErrorCode`
 */
export function processTokenError(
  response: HttpResponse,
  secrets: readonly (string | undefined)[],
  codeOf?: CodeOf,
): Problem {
  const json = errorBody(response);
  const error = isJsonObject(json) ? text(json.error) : undefined;
  if (!isJsonObject(json) || error === undefined || response.status === 429) {
    return statusProblem(response);
  }
  if (response.status >= 500 && !ERRORS.includes(error)) return statusProblem(response);
  const isCode = /^[\w.-]{1,64}$/.test(error) && !secrets.includes(error);
  const own = isCode ? codeOf?.(error, text(json.error_description) ?? '') : undefined;
  const code = own ?? (isCode ? error : 'invalid_request');
  const description = quote(text(json.error_description) ?? (code === error ? '' : error), secrets);
  const uri = text(json.error_uri);
  return new Problem(code, description === '' ? code : `${code}: ${description}`, {
    from: 'token response',
    status: response.status,
    uri: uri && quote(uri, secrets),
    retryAfterSeconds: retryAfterSeconds(response),
  });
}

/** Visible ASCII: what may stand in an `Authorization` header (RFC 6750 §2.1 allows less). */
const TOKEN = /^[\x21-\x7e]+$/;

/**
 * RFC 6749 §5.1.
 *
 * @param requestedAt epoch ms; lifetimes count from the request, so they are never overrated
 * @param secrets what was sent, as in {@link processTokenError}
 * @param options.assumedLifetime seconds, taken when there is no `expires_in`
 * @param options.codeOf as in {@link processTokenError}
 * @throws {Problem} `invalid_token_response`, `unsupported_token_type`, or of {@link parseJson}
 */
export function processTokenResponse(
  response: HttpResponse,
  requestedAt: number,
  secrets: readonly (string | undefined)[] = [],
  { assumedLifetime, codeOf }: { assumedLifetime?: number; codeOf?: CodeOf } = {},
): TokenSet {
  const json = parseJson(response.body, response.headers['content-type']);
  if (isJsonObject(json) && json.access_token === undefined && text(json.error) !== undefined) {
    // Not what §5.2 says, but said by some all the same: an error with status 200.
    throw processTokenError(response, secrets, codeOf);
  }
  if (!isJsonObject(json)) {
    throw new Problem('invalid_token_response', 'the token response is no JSON object');
  }
  if (typeof json.access_token !== 'string' || !TOKEN.test(json.access_token)) {
    throw new Problem('invalid_token_response', 'the token response has no usable access_token');
  }
  // Compared without case (RFC 6749 §5.1); old Salesforce answers leave it out.
  const tokenType = json.token_type ?? 'Bearer';
  if (typeof tokenType !== 'string' || tokenType.toLowerCase() !== 'bearer') {
    throw new Problem('unsupported_token_type', 'the access token is no bearer token');
  }
  return Object.freeze(
    known<TokenSet>({
      accessToken: json.access_token,
      refreshToken: text(json.refresh_token),
      idToken: text(json.id_token),
      tokenType: 'Bearer',
      expiresAt: expiresAt(json.expires_in ?? assumedLifetime, requestedAt),
      scope: text(json.scope),
      response: Object.freeze(json),
    }),
  );
}

function expiresAt(value: unknown, requestedAt: number): number | undefined {
  const seconds = typeof value === 'number' || text(value) ? Number(value) : Number.NaN;
  const at = requestedAt + seconds * 1000;
  return Number.isFinite(at) && seconds >= 0 ? at : undefined;
}
