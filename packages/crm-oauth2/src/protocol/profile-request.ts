/**
 * Requests that carry an access token: which host may receive it, and how a redirect is followed.
 */
import { Problem, quote } from '../errors/oauth2-error';
import type { HttpRequest, HttpResponse } from '../wire/http';
import { isJsonObject, parseJson, text } from '../values/json';
import { isLoopback } from '../values/options';
import type { ProfileRequest } from '../provider/description';
import { isSuccess, retryAfterSeconds, statusProblem } from './token-endpoint';

/** How far a profile request may be sent on; Salesforce needs one hop. */
const MAX_REDIRECTS = 3;

interface Surroundings {
  send: (request: HttpRequest) => Promise<HttpResponse>;
  /** Whether a URL is on a host of the configured endpoints. */
  isOwn: (url: URL) => boolean;
  /** Told where the token is about to go, for the error's `host`. */
  at: (url: URL) => void;
}

/**
 * GET with the token in the `Authorization` header (RFC 6750 §2.1). Redirects are followed by hand,
 * because each target is judged before the token goes there; without `trusts` none is followed.
 *
 * @throws {Problem} `untrusted_host`, `unexpected_redirect`, `invalid_token`, `insufficient_scope`,
 * `rate_limited`, `provider_unavailable`, `unexpected_status`
 */
export async function fetchWithToken(
  request: Omit<ProfileRequest, 'url'> & { url: URL },
  accessToken: string,
  { send, isOwn, at }: Surroundings,
): Promise<HttpResponse> {
  let { url } = request;
  for (let hops = 0; hops <= MAX_REDIRECTS; hops += 1) {
    // RFC 6750 §5.3: the token travels encrypted, whomever the provider trusts.
    const encrypted = url.protocol === 'https:' || isLoopback(url.hostname);
    if (!isOwn(url) && !(encrypted && request.trusts?.(url))) {
      throw untrusted(url);
    }
    at(url);
    const headers = { accept: 'application/json', authorization: `Bearer ${accessToken}` };
    const response = await send({ method: 'GET', url, headers });
    if (isSuccess(response)) return response;
    const { location } = response.headers;
    const redirects = response.status >= 300 && response.status < 400 && location !== undefined;
    if (!redirects || !request.trusts || !URL.canParse(location, url.href)) {
      throw refused('the profile', response, accessToken);
    }
    url = new URL(location, url);
    // Whither the provider lets a redirect lead is its say at the configured hosts too.
    if (!request.trusts(url)) throw untrusted(url);
  }
  throw new Problem('unexpected_redirect', 'the profile request was redirected too often');
}

function untrusted({ host }: URL): Problem {
  return new Problem('untrusted_host', `the access token must not go to ${quote(host)}`);
}

/**
 * RFC 6750 §3.1 by status; the providers' bodies follow it only sometimes.
 *
 * @param what was asked for, to begin a sentence with
 */
export function refused(what: string, response: HttpResponse, accessToken?: string): Problem {
  const { status } = response;
  const problem = statusProblem(response);
  if (problem.code !== 'unexpected_status') return problem;
  const words = quote(reason(response), [accessToken]);
  const code =
    status === 401 ? 'invalid_token' : status === 403 ? 'insufficient_scope' : problem.code;
  const message = `${what} was refused with status ${status}${words && `: ${words}`}`;
  return new Problem(code, message, { status, retryAfterSeconds: retryAfterSeconds(response) });
}

/** The provider's words: of RFC 6750 §3, of one of the shapes their APIs use, or a short plain text. */
function reason(response: HttpResponse): string {
  try {
    const json = parseJson(response.body, response.headers['content-type']);
    const [first] = Array.isArray(json) ? json : [json];
    if (!isJsonObject(first)) return '';
    const { error, error_description: description, message } = first;
    const inner = isJsonObject(error) ? error.message : error;
    return text(description) ?? text(inner) ?? text(message) ?? '';
  } catch {
    return /^[\w .-]{1,60}$/.test(response.body) ? response.body : '';
  }
}
