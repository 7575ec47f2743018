/** The discovery document of the issuer, and the keys that it signs ID Tokens with. */
import { isOAuth2Error, located } from '../errors/oauth2-error';
import { Problem } from '../errors/problem';
import { quote } from '../errors/redaction';
import type { Endpoints, Provider } from '../provider/description';
import { discover } from '../provider/discover';
import { isJsonObject, text } from '../values/json';
import type { Json } from '../values/json';
import { isSuccess, parseJson, statusProblem } from '../wire/answers';
import type { HttpResponse } from '../wire/http';
import type { Asking } from './asking';
import { failureOf, findingsOf } from './finding';
import type { Finding } from './finding';

const discovery = findingsOf('discovery');
const keys = findingsOf('keys');

/** The endpoints that both the description and the document have, in words. */
const COMPARED: Readonly<Partial<Record<keyof Endpoints, string>>> = {
  authorizationEndpoint: 'authorization endpoint',
  tokenEndpoint: 'token endpoint',
  userInfoEndpoint: 'UserInfo endpoint',
  jwksUri: 'address of keys',
  revocationEndpoint: 'revocation endpoint',
  introspectionEndpoint: 'introspection endpoint',
};

/** OpenID Connect Discovery §4: the document must name the issuer that the description has. */
export async function checkDiscovery(
  { title, idToken }: Provider,
  endpoints: Readonly<Endpoints>,
  { timeoutMs, agent }: Asking,
): Promise<Finding[]> {
  const { issuer } = endpoints;
  // The address of the document follows from an issuer without a query only (§4.1).
  if (idToken === 'none' || issuer === undefined || new URL(issuer).search !== '') return [];
  try {
    const published = await discover(issuer, { timeout: timeoutMs, agent });
    const same = discovery.right(
      `${title} publishes a discovery document, which names the issuer ${issuer}.`,
    );
    return [same, ...differences(title, endpoints, published)];
  } catch (error) {
    const { words, rest } = failureOf(error);
    if (isOAuth2Error(error) && error.code === 'issuer_mismatch') {
      const named = `The issuer differs from ${issuer}: ${words}.`;
      const mend =
        'Set the option that names the host to the host in the document. ID Tokens name that issuer, and are compared with it.';
      return [discovery.wrong(named, { ...rest, mend })];
    }
    if (isOAuth2Error(error) && error.status === 404) {
      return [discovery.unknown(`${issuer} publishes no discovery document.`, { host: rest.host })];
    }
    return [discovery.wrong(`The discovery document of ${issuer} is not usable: ${words}.`, rest)];
  }
}

function differences(title: string, own: Readonly<Endpoints>, published: Endpoints): Finding[] {
  return Object.entries(COMPARED).flatMap(([name, words]) => {
    const [ours, theirs] = [own, published].map((all) => text(Reflect.get(all, name)));
    if (ours === undefined || theirs === undefined || ours === theirs) return [];
    const says = `${title} publishes another ${words} (${quote(theirs)}) than this set-up has (${ours}).`;
    const mend =
      'If a login fails, use the published one. Otherwise report the difference to the author of the package.';
    return [discovery.note(says, { mend })];
  });
}

/** The types of keys by the first letters of the algorithms (RFC 7518 §6.1, RFC 8037). */
const KEY_TYPES: Readonly<Record<string, string>> = { RS: 'RSA', PS: 'RSA', ES: 'EC', Ed: 'OKP' };

/** True for a public key that may verify a signature of one of the algorithms (RFC 7517 §4). */
function fits(key: unknown, algorithms: readonly string[]): boolean {
  if (!isJsonObject(key) || key.use === 'enc') return false;
  return algorithms.some(
    (algorithm) =>
      KEY_TYPES[algorithm.slice(0, 2)] === key.kty &&
      (key.alg === undefined || key.alg === algorithm),
  );
}

/** The keys that ID Tokens are verified with. */
export async function checkKeys(
  provider: Provider,
  endpoints: Readonly<Endpoints>,
  asking: Asking,
): Promise<Finding[]> {
  const { jwksUri } = endpoints;
  if (provider.idToken === 'none' || jwksUri === undefined) return [];
  const url = new URL(jwksUri);
  const { host } = url;
  const algorithms = provider.idTokenAlgorithms;
  try {
    const response = await asking.ask('id_token', url);
    const count = await located({ provider, stage: 'id_token', host }, () =>
      countKeys(response, algorithms),
    );
    const number = count === 1 ? 'one key' : `${count} keys`;
    return [keys.right(`${host} publishes ${number} for ID Tokens.`, { host })];
  } catch (error) {
    const { words, rest } = failureOf(error);
    return [keys.wrong(`The keys for ID Tokens cannot be read from ${jwksUri}: ${words}.`, rest)];
  }
}

/** @throws {Problem} `keys_unavailable` when none fits, and those of the answer */
function countKeys(response: HttpResponse, algorithms: readonly string[]): number {
  if (!isSuccess(response)) throw statusProblem(response);
  // Some servers label their keys with another content type, so the header is ignored.
  const json: Json = parseJson(response.body, 'application/json');
  const all = isJsonObject(json) && Array.isArray(json.keys) ? json.keys : [];
  const fitting = all.filter((key) => fits(key, algorithms));
  if (fitting.length > 0) return fitting.length;
  throw new Problem('keys_unavailable', `no key among them is one for ${algorithms.join(' or ')}`);
}
