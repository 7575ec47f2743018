/**
 * Options are judged once, in the constructor, by name and by value; a wrong one is a `TypeError`
 * that names it. Nobody's object is changed.
 */
import type { Agent, OutgoingHttpHeaders } from 'node:http';
import type { OptionKind } from '../provider/description';

/** The known name that differs least from a misspelt one, when it is near enough to be meant. */
export function nearestName(name: string, known: readonly string[]): string | undefined {
  const ranked = known
    .map((candidate) => ({
      candidate,
      distance: distance(name.toLowerCase(), candidate.toLowerCase()),
    }))
    .toSorted((a, b) => a.distance - b.distance);
  const best = ranked[0];
  return best && best.distance <= Math.max(2, Math.floor(name.length / 2))
    ? best.candidate
    : undefined;
}

/** Levenshtein distance. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const substitution = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next[j] = Math.min((row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1, substitution);
    }
    row = next;
  }
  return row[b.length] ?? 0;
}

/** @throws {TypeError} naming the option and the nearest known name */
export function refuseUnknownOptions(
  owner: string,
  options: object,
  known: readonly string[],
): void {
  for (const name of Object.keys(options)) {
    if (known.includes(name)) continue;
    const meant = nearestName(name, known);
    throw new TypeError(
      `${owner}: unknown option "${name}"${meant ? `; did you mean "${meant}"?` : `. Known: ${known.join(', ')}`}`,
    );
  }
}

/** localhost, 127.0.0.0/8 and [::1]: the only hosts plain http is accepted for. */
export function isLoopback(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || /^127(\.\d{1,3}){3}$/.test(hostname);
}

/** @throws {TypeError} unless the value is an https URL, or an http one on a loopback host */
export function requireEndpoint(owner: string, name: string, value: unknown): string {
  if (typeof value !== 'string' || !URL.canParse(value)) {
    throw new TypeError(`${owner}: option "${name}" must be an absolute URL`);
  }
  const url = new URL(value);
  if (url.username !== '' || url.password !== '' || url.hash !== '') {
    throw new TypeError(`${owner}: option "${name}" must have neither user info nor a fragment`);
  }
  if (url.protocol !== 'https:' && !(url.protocol === 'http:' && isLoopback(url.hostname))) {
    throw new TypeError(
      `${owner}: option "${name}" must be https (http is accepted for localhost, 127.0.0.0/8 and [::1] only)`,
    );
  }
  return value;
}

/** @throws {TypeError} when an own option of a provider is of the wrong kind */
export function checkProviderOptions(
  owner: string,
  options: object,
  kinds: Readonly<Record<string, OptionKind>>,
): void {
  for (const [name, kind] of Object.entries(kinds)) {
    const value: unknown = Reflect.get(options, name);
    if (value === undefined) continue;
    if (kind === 'url') requireEndpoint(owner, name, value);
    else if (typeof value !== kind || value === '') {
      throw new TypeError(
        `${owner}: option "${name}" must be a ${kind === 'string' ? 'non-empty string' : kind}`,
      );
    }
  }
}

/** @throws {TypeError} */
export function requireString(owner: string, name: string, value: unknown): string {
  if (typeof value !== 'string' || value === '') {
    throw new TypeError(`${owner}: option "${name}" is required and must be a non-empty string`);
  }
  return value;
}

/**
 * `clientSecret`, or nothing for a public client. A secret that is `undefined` is a variable that was
 * not set: it must not quietly make a public client, for which less can be checked.
 *
 * @throws {TypeError}
 */
export function optionalSecret(
  owner: string,
  options: { clientSecret?: unknown },
): string | undefined {
  if (!Object.hasOwn(options, 'clientSecret')) return undefined;
  const { clientSecret } = options;
  if (typeof clientSecret === 'string' && clientSecret !== '') return clientSecret;
  throw new TypeError(
    `${owner}: option "clientSecret" must be a non-empty string; leave it out for a public client`,
  );
}

/** @throws {TypeError} unless the value is `true` or `false` (or absent) */
export function requireBoolean(owner: string, name: string, value: unknown): void {
  if (value !== undefined && typeof value !== 'boolean') {
    throw new TypeError(`${owner}: option "${name}" must be true or false`);
  }
}

/** @throws {TypeError} unless the value is a number within the bounds (or absent) */
export function optionalNumber(
  owner: string,
  name: string,
  value: unknown,
  fallback: number,
  [min, max]: readonly [number, number],
): number {
  if (value === undefined) return fallback;
  if (typeof value !== 'number' || !(value >= min && value <= max)) {
    throw new TypeError(`${owner}: option "${name}" must be a number from ${min} to ${max}`);
  }
  return value;
}

/**
 * `scope` as passport-oauth2 takes it, an array or a space separated string, as a list.
 *
 * @throws {TypeError} for anything else, and for commas, which no provider of ours reads
 */
export function scopeList(owner: string, value: unknown): readonly string[] | undefined {
  if (value === undefined) return undefined;
  const list: unknown[] = Array.isArray(value)
    ? value
    : typeof value === 'string'
      ? value.split(' ')
      : [undefined];
  const scopes: string[] = [];
  for (const scope of list) {
    if (scope === '') continue;
    // RFC 6749 §3.3: scope-token.
    if (
      typeof scope !== 'string' ||
      !/^[\x21\x23-\x5b\x5d-\x7e]+$/.test(scope) ||
      scope.includes(',')
    ) {
      throw new TypeError(
        `${owner}: option "scope" must be an array of scopes, or a string of them with spaces between`,
      );
    }
    if (!scopes.includes(scope)) scopes.push(scope);
  }
  return scopes;
}

/** Headers of the protocol: an application that sets one means something the client does already. */
const RESERVED_HEADERS = [
  'accept',
  'accept-encoding',
  'authorization',
  'connection',
  'content-length',
  'content-type',
  'expect',
  'host',
  'transfer-encoding',
];

/** @throws {TypeError} when `customHeaders` is no object, or sets a header of the protocol */
export function checkHeaders(owner: string, headers: unknown): Readonly<OutgoingHttpHeaders> {
  if (headers === undefined) return {};
  if (typeof headers !== 'object' || headers === null) {
    throw new TypeError(`${owner}: option "customHeaders" must be an object`);
  }
  const copy: OutgoingHttpHeaders = {};
  for (const [name, value] of Object.entries(headers as OutgoingHttpHeaders)) {
    if (RESERVED_HEADERS.includes(name.toLowerCase())) {
      throw new TypeError(`${owner}: option "customHeaders" must not set ${name}`);
    }
    copy[name.toLowerCase()] = value;
  }
  return Object.freeze(copy);
}

/** @throws {TypeError} when `agent` is no agent of `node:http` or `node:https`, nor made like one */
export function checkAgent(owner: string, agent: Agent | undefined): Agent | undefined {
  if (agent === undefined || typeof Reflect.get(Object(agent), 'addRequest') === 'function') {
    return agent;
  }
  throw new TypeError(`${owner}: option "agent" must be an http.Agent or https.Agent`);
}
