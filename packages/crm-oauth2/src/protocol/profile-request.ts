/** Requests that carry an access token: which host receives it, and which redirects are followed. */
import { readApiError } from '../errors/api-errors';
import type { ErrorCode } from '../errors/codes';
import { meaningOf, refusalOf } from '../errors/meanings';
import type { Meaning, Vocabulary } from '../errors/meanings';
import type { Stage } from '../errors/oauth2-error';
import { Problem } from '../errors/problem';
import { quote } from '../errors/redaction';
import { withoutUndefined } from '../values/json';
import { isLoopback } from '../values/options';
import { addressOf } from '../wire/address';
import { isSuccess, statusProblem } from '../wire/answers';
import type { HttpRequest, HttpResponse } from '../wire/http';

/** How a provider is asked for the profile. */
export interface ProfileRequest {
  url: string | URL;
  /**
   * Judges hosts other than those of the endpoints: `true` lets them receive the access token. With
   * it, redirects are followed by hand, and each target is judged.
   */
  trusts?: (url: URL) => boolean;
  /**
   * `path` for an API that takes the token in its path, which `url` then has. The header is left
   * out, and the path reaches no event, error or log. Default: the `Authorization` header.
   */
  tokenIn?: 'path';
}

/** A profile request follows at most this many redirects; Salesforce needs one. */
const MAX_REDIRECTS = 3;

interface Surroundings {
  send: (request: HttpRequest) => Promise<HttpResponse>;
  /** Tells the hosts of the configured endpoints from others. */
  isOwn: (url: URL) => boolean;
  /** Called with each URL before the token goes there, for the error's `host`. */
  at: (url: URL) => void;
  /** The provider's own words. */
  vocabulary?: Vocabulary;
}

/**
 * GET with the token in the `Authorization` header (RFC 6750 §2.1). Redirects are followed by hand,
 * because each target is judged before the token goes there; without `trusts` none is followed.
 *
 * @throws {Problem} `untrusted_host`, `token_in_url`, `unexpected_redirect`, `invalid_token`,
 * `insufficient_scope`, `rate_limited`, `provider_unavailable`, `unexpected_status`
 */
export async function fetchWithToken(
  request: ProfileRequest & { url: URL },
  accessToken: string,
  { send, isOwn, at, vocabulary }: Surroundings,
): Promise<HttpResponse> {
  const { trusts, tokenIn } = request;
  const accept = 'application/json';
  const headers =
    tokenIn === undefined ? { accept, authorization: `Bearer ${accessToken}` } : { accept };
  const secrets = tokenIn === undefined ? undefined : [accessToken];
  let { url } = request;
  for (let hops = 0; hops <= MAX_REDIRECTS; hops += 1) {
    if (!isOwn(url) && !(isEncrypted(url) && trusts?.(url))) throw untrusted(url, accessToken);
    // RFC 6750 §5.3: URLs end in logs and histories.
    if (tokenIn === undefined && names(url, accessToken)) {
      throw new Problem('token_in_url', 'the access token must not travel in a URL');
    }
    at(url);
    const response = await send({ method: 'GET', url, headers, secrets });
    if (isSuccess(response)) return response;
    const { location } = response.headers;
    const redirects = response.status >= 300 && response.status < 400 && location !== undefined;
    if (!redirects || !trusts || !URL.canParse(location, url.href)) {
      throw refused('the profile', response, [accessToken], { stage: 'profile', ...vocabulary });
    }
    url = new URL(location, url);
    // A redirect must be trusted even when it stays on a configured host.
    if (!trusts(url)) throw untrusted(url, accessToken);
  }
  throw new Problem('unexpected_redirect', 'the profile request was redirected too often');
}

/** RFC 6750 §5.3: the token travels encrypted, also to a host that the provider trusts. */
function isEncrypted({ protocol, hostname }: URL): boolean {
  return protocol === 'https:' || isLoopback(hostname);
}

/** A shorter token, which only a test has, may stand in an address by chance. */
const SHORTEST_TOKEN = 16;

/** As it is, or percent-encoded: a Salesforce token has a `!`, which forms write as `%21`. A host has no capitals. */
function names(url: URL, accessToken: string): boolean {
  const { host, path } = addressOf(url);
  const address = host + path;
  const { length } = accessToken;
  // Decoding only shortens an address, so one that is shorter than the token cannot hold it.
  if (length < SHORTEST_TOKEN || length > address.length) return false;
  const decoded = address.replace(/%[\da-f]{2}/gi, (code) =>
    String.fromCharCode(Number.parseInt(code.slice(1), 16)),
  );
  return decoded.toLowerCase().includes(accessToken.toLowerCase());
}

function untrusted({ host }: URL, accessToken: string): Problem {
  const name = quote(host, [accessToken]);
  return new Problem('untrusted_host', `the access token must not go to ${name}`);
}

/** RFC 6750 §3.1. */
const CODES_BY_STATUS: Readonly<Record<number, ErrorCode>> = {
  401: 'invalid_token',
  403: 'insufficient_scope',
};

/** RFC 6750 §3.1: some APIs send these codes with another status. */
const CODES: readonly Meaning[] = [
  { error: 'invalid_token', code: 'invalid_token' },
  { error: 'insufficient_scope', code: 'insufficient_scope' },
];

/**
 * RFC 6750 §3.1 by status, unless the provider says what its words mean; the bodies follow the RFC only
 * sometimes.
 *
 * @param subject begins the sentence: `the profile`
 * @param secrets what was sent, so that an echo of it reaches no message
 */
export function refused(
  subject: string,
  response: HttpResponse,
  secrets: readonly (string | undefined)[],
  { stage, ...vocabulary }: Vocabulary & { stage: Stage },
): Problem {
  const { status } = response;
  const { code: apiCode, words, errors: apiErrors } = readApiError(response, secrets);
  // Rows without a stage are about logins: an API has other reasons for the same words.
  const { meanings = [] } = vocabulary;
  const rows = [...meanings.filter(({ stages }) => stages?.includes(stage)), ...CODES];
  const meaning = meaningOf(rows, { error: apiCode, description: words, stage });
  const byStatus = statusProblem(response, secrets);
  // A firewall answers with a page; no scope opens it.
  const isPage = status === 403 && apiCode === undefined && /^\s*</.test(response.body);
  const code = meaning?.code ?? (isPage ? undefined : CODES_BY_STATUS[status]) ?? byStatus.code;
  const isRefusal = byStatus.code === 'unexpected_status';
  const what = `${subject} was refused with status ${status}${words && `: ${words}`}`;
  const hint = meaning?.hint;
  const refusal = refusalOf(code, stage, vocabulary);
  const details = withoutUndefined({ ...byStatus.details, ...refusal, hint, apiCode, apiErrors });
  return new Problem(code, isRefusal ? what : byStatus.message, details);
}
