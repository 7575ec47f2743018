/** The token endpoint: the request that is built, and the answer that is judged (RFC 6749 §3.2, §5). */
import type { ErrorCode } from '../errors/codes';
import { reportedProblem } from '../errors/meanings';
import type { Vocabulary } from '../errors/meanings';
import type { Stage } from '../errors/oauth2-error';
import { Problem } from '../errors/problem';
import { providerCode } from '../errors/provider-codes';
import { quote } from '../errors/redaction';
import { isJsonObject, ownFields, text, withoutUndefined } from '../values/json';
import type { JsonObject } from '../values/json';
import { isSuccess, jsonOf, retryAfterSeconds, statusProblem } from '../wire/answers';
import type { HttpResponse } from '../wire/http';
import type { ClientAuthentication } from './client-authentication';
import type { TokenSet } from './token-set';

type TokenParameters = Readonly<Record<string, string | undefined>>;

/** RFC 6749 §2.3: one method of authentication, whatever the parameters say. */
const NO_CREDENTIALS = { client_id: undefined, client_secret: undefined };

/**
 * The body of a token request: the parameters, and the client's credentials when they travel there.
 *
 * @param parameters in order: a later one replaces an earlier one of its name
 */
export function buildTokenRequest(
  format: 'json' | 'form',
  client: ClientAuthentication,
  ...parameters: (TokenParameters | undefined)[]
): { headers: Record<string, string>; body: string } {
  const fields = ownFields<TokenParameters>({}, ...parameters, NO_CREDENTIALS, client.fields);
  const json = format === 'json';
  // JSON leaves out fields that are undefined.
  const body = json ? JSON.stringify(fields) : formOf(fields);
  return {
    headers: {
      accept: 'application/json',
      'content-type': json ? 'application/json' : 'application/x-www-form-urlencoded',
      'content-length': String(Buffer.byteLength(body)),
      ...client.headers,
    },
    body,
  };
}

function formOf(fields: TokenParameters): string {
  return new URLSearchParams(withoutUndefined(fields) as Record<string, string>).toString();
}

/** An error as a provider reports it in words of its own. */
export interface ReportedError {
  code: ErrorCode;
  description?: string;
  /** Set when the provider did not look at the request: how long to wait before it is sent again. */
  retryAfterSeconds?: number;
}

/** The part of a description by which errors of the token endpoint are read. */
export interface TokenVocabulary extends Vocabulary {
  tokenError?(body: Readonly<JsonObject>): ReportedError | undefined;
}

/** The errors of RFC 6749 §5.2 and §4.1.2.1, which are believed also with a status of 5xx. */
const STANDARD_ERRORS: readonly string[] = [
  'invalid_request',
  'invalid_client',
  'invalid_grant',
  'unauthorized_client',
  'unsupported_grant_type',
  'invalid_scope',
  'access_denied',
  'unsupported_response_type',
  'server_error',
  'temporarily_unavailable',
];

/** A gateway before the provider names its status so (RFC 9110 §15): no word of OAuth, and about no person. */
const REASON_PHRASES: readonly string[] = ['Bad Request', 'Unauthorized', 'Forbidden', 'Not Found'];

/** JSON as RFC 6749 §5.2 has it, or a form, which Salesforce's revocation endpoint answers with. */
function errorBody(response: HttpResponse): unknown {
  if (response.headers['content-type']?.startsWith('application/x-www-form-urlencoded')) {
    return Object.fromEntries(new URLSearchParams(response.body));
  }
  try {
    return jsonOf(response);
  } catch {
    return undefined;
  }
}

/**
 * RFC 6749 §5.2. Judged by `error`, never by the status: Auth0 documents 400 and sends 403. With a
 * status of 5xx, only an `error` of the RFC is believed: other words are details of an outage.
 *
 * @param secrets what was sent, so that a provider's echo of it never reaches a message
 */
export function processTokenError(
  response: HttpResponse,
  secrets: readonly (string | undefined)[],
  vocabulary: TokenVocabulary = {},
  stage: Stage = 'token',
): Problem {
  const { status } = response;
  const body = errorBody(response);
  if (status === 429 || !isJsonObject(body)) return statusProblem(response, secrets);
  const standard = standardError(body, status);
  const isOutage = status >= 500 && standard === undefined;
  const reported = isOutage ? undefined : (vocabulary.tokenError?.(body) ?? standard);
  if (reported === undefined) return statusProblem(response, secrets);
  const { code: error, description } = reported;
  const uri = text(body.error_uri);
  const words = { error, description, stage, otherwise: 'invalid_request' } as const;
  return reportedProblem(words, vocabulary, secrets, {
    reportedIn: 'token response',
    status,
    uri: uri && quote(uri, secrets),
    // With a status of 4xx the header does not say that the request was not looked at.
    retryAfterSeconds:
      reported.retryAfterSeconds ?? (status >= 500 ? retryAfterSeconds(response) : undefined),
  });
}

/** RFC 6749 §5.2. */
function standardError(body: JsonObject, status: number): ReportedError | undefined {
  const error = text(body.error);
  if (error === undefined || REASON_PHRASES.includes(error)) return undefined;
  if (status >= 500 && !STANDARD_ERRORS.includes(error)) return undefined;
  return { code: providerCode(error), description: text(body.error_description) };
}

/** Visible ASCII: what may stand in an `Authorization` header (RFC 6750 §2.1 allows less). */
const TOKEN = /^[\x21-\x7e]+$/;

/**
 * RFC 6749 §5.1.
 *
 * @param requestedAt epoch ms; a lifetime counts from the request, so that it is never overrated
 * @param secrets as in {@link processTokenError}
 * @param options.assumedLifetime seconds, taken when there is no `expires_in`
 * @param options.vocabulary and `stage`: as in {@link processTokenError}
 * @throws {Problem} `invalid_token_response`, `unsupported_token_type`, or of {@link jsonOf}
 */
export function processTokenResponse(
  response: HttpResponse,
  requestedAt: number,
  secrets: readonly (string | undefined)[] = [],
  {
    assumedLifetime,
    vocabulary,
    stage,
  }: { assumedLifetime?: number; vocabulary?: TokenVocabulary; stage?: Stage } = {},
): TokenSet {
  const answer = jsonOf(response, secrets);
  if (!isJsonObject(answer)) {
    throw new Problem('invalid_token_response', 'the token response is not a JSON object');
  }
  const json = ownFields(answer);
  // RFC 6749 §5.2 asks for 400 here. Some servers report an error with status 200.
  const saysError = () => text(json.error) ?? vocabulary?.tokenError?.(json);
  if (json.access_token === undefined && saysError() !== undefined) {
    throw processTokenError(response, secrets, vocabulary, stage);
  }
  if (typeof json.access_token !== 'string' || !TOKEN.test(json.access_token)) {
    throw new Problem('invalid_token_response', 'the token response has no usable access_token');
  }
  // RFC 6749 §5.1: compared without case. Old answers of Salesforce leave it out.
  const tokenType = json.token_type ?? 'Bearer';
  if (typeof tokenType !== 'string' || tokenType.toLowerCase() !== 'bearer') {
    throw new Problem('unsupported_token_type', 'the access token is not a bearer token');
  }
  return Object.freeze(
    withoutUndefined<TokenSet>({
      accessToken: json.access_token,
      refreshToken: text(json.refresh_token),
      idToken: text(json.id_token),
      tokenType: 'Bearer',
      expiresAt: expiresAt(json.expires_in ?? assumedLifetime, requestedAt),
      scope: text(json.scope),
      response: Object.freeze(answer),
    }),
  );
}

function expiresAt(value: unknown, requestedAt: number): number | undefined {
  const seconds = typeof value === 'number' || text(value) ? Number(value) : Number.NaN;
  const at = requestedAt + seconds * 1000;
  return Number.isFinite(at) && seconds >= 0 ? at : undefined;
}

/**
 * The tokens after a refresh: what the answer leaves out stays as it was (RFC 6749 §6).
 *
 * @throws {Problem} `subject_mismatch` when they are for another person (OpenID Connect Core §12.2)
 */
export function replaceTokens(previous: TokenSet, next: TokenSet): TokenSet {
  const { subject = previous.subject, scope = previous.scope, sid = previous.sid } = next;
  if (previous.subject !== undefined && subject !== previous.subject) {
    throw new Problem('subject_mismatch', 'the refreshed tokens are of another person');
  }
  // These fields belong to the previous tokens and end with them.
  const ended = { refresh_token: undefined, id_token: undefined, expires_in: undefined };
  const fields: JsonObject = { ...previous.response, ...ended, ...next.response };
  const response = Object.freeze(withoutUndefined(fields));
  return Object.freeze(withoutUndefined<TokenSet>({ ...next, scope, subject, sid, response }));
}

/** RFC 7009 §2.2: a token that the provider does not know is revoked already. @throws {Problem} */
export function processRevocation(
  response: HttpResponse,
  secrets: readonly (string | undefined)[],
  vocabulary: Vocabulary,
): void {
  if (isSuccess(response)) return;
  const problem = processTokenError(response, secrets, vocabulary, 'revoke');
  if (problem.code !== 'invalid_token') throw problem;
}

/** The answer about a token (RFC 7662 §2.2), with the fields that the provider adds. */
export type Introspection = Readonly<JsonObject & { active: boolean }>;

/** @throws {Problem} `invalid_token_response`, and those of the error that the provider reports */
export function processIntrospection(
  response: HttpResponse,
  secrets: readonly (string | undefined)[],
  vocabulary: Vocabulary,
): Introspection {
  if (!isSuccess(response)) {
    throw processTokenError(response, secrets, vocabulary, 'introspect');
  }
  const json = jsonOf(response, secrets);
  if (isJsonObject(json) && typeof json.active === 'boolean') {
    return Object.freeze({ ...json, active: json.active });
  }
  throw new Problem('invalid_token_response', 'the answer does not say whether it is active');
}
