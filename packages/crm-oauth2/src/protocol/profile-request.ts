/** Requests that carry an access token: which host receives it, and which redirects are followed. */
import type { ErrorCode } from '../errors/codes';
import { Problem } from '../errors/problem';
import { quote } from '../errors/redaction';
import { isJsonObject, text } from '../values/json';
import { isLoopback } from '../values/options';
import { isSuccess, jsonOf, statusProblem } from '../wire/answers';
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
  { send, isOwn, at }: Surroundings,
): Promise<HttpResponse> {
  const { trusts, tokenIn } = request;
  const headers = {
    accept: 'application/json',
    ...(tokenIn === undefined && { authorization: `Bearer ${accessToken}` }),
  };
  const secrets = tokenIn === undefined ? undefined : [accessToken];
  let { url } = request;
  for (let hops = 0; hops <= MAX_REDIRECTS; hops += 1) {
    // RFC 6750 §5.3: the token travels encrypted, also to a host that the provider trusts.
    const encrypted = url.protocol === 'https:' || isLoopback(url.hostname);
    if (!isOwn(url) && !(encrypted && trusts?.(url))) throw untrusted(url);
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
      throw refused('the profile', response, accessToken);
    }
    url = new URL(location, url);
    // A redirect must be trusted even when it stays on a configured host.
    if (!trusts(url)) throw untrusted(url);
  }
  throw new Problem('unexpected_redirect', 'the profile request was redirected too often');
}

/** A shorter token, which only a test has, may stand in an address by chance. */
const SHORTEST_TOKEN = 16;

/** As it is, or percent-encoded: a Salesforce token has a `!`, which forms write as `%21`. */
function names({ pathname, search }: URL, accessToken: string): boolean {
  const address = (pathname + search).replace(/%[\da-f]{2}/gi, (code) =>
    String.fromCharCode(Number.parseInt(code.slice(1), 16)),
  );
  return accessToken.length >= SHORTEST_TOKEN && address.includes(accessToken);
}

function untrusted({ host }: URL): Problem {
  return new Problem('untrusted_host', `the access token must not go to ${quote(host)}`);
}

/**
 * RFC 6750 §3.1 by status; the bodies of the providers follow it only sometimes.
 *
 * @param subject begins the sentence: `the profile`
 */
export function refused(subject: string, response: HttpResponse, accessToken?: string): Problem {
  const { status } = response;
  const problem = statusProblem(response);
  if (problem.code !== 'unexpected_status') return problem;
  const words = quote(reason(response), [accessToken]);
  const code: ErrorCode =
    status === 401 ? 'invalid_token' : status === 403 ? 'insufficient_scope' : problem.code;
  const message = `${subject} was refused with status ${status}${words && `: ${words}`}`;
  return new Problem(code, message, problem.details);
}

/** The provider's words: of RFC 6750 §3, of one of the shapes their APIs use, or a short plain text. */
function reason(response: HttpResponse): string {
  try {
    const json = jsonOf(response);
    const [first] = Array.isArray(json) ? json : [json];
    if (!isJsonObject(first)) return '';
    const { error, error_description: description, message } = first;
    const inner = isJsonObject(error) ? error.message : error;
    return text(description) ?? text(inner) ?? text(message) ?? '';
  } catch {
    return /^[\w .-]{1,60}$/.test(response.body) ? response.body : '';
  }
}
