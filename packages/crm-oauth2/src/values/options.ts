/** Checks the options of a constructor. A wrong one throws a `TypeError` that names it. */
import type { Agent, OutgoingHttpHeaders } from 'node:http';
import { FOREIGN_NAMES } from './foreign-names';
import { LruMap } from './lru-map';

/** The kind of value that an option takes. */
export type OptionKind = 'url' | 'string' | 'strings' | 'boolean';

/** @param rule continues the sentence that names the option */
function optionError(owner: string, name: string, rule: string): TypeError {
  return new TypeError(`${owner}: option "${name}" ${rule}`);
}

/** A name without the marks by which spellings differ: `login_hint` is `loginHint`. */
function plain(name: string): string {
  return name.toLowerCase().replaceAll(/[_-]/g, '');
}

/** A longer name was not meant to be an option, and takes long to compare. */
const MAX_NAME_LENGTH = 64;

/** The known name that a misspelt one probably means: one slip away, or two and more in a long name. */
export function nearestName(name: string, known: readonly string[]): string | undefined {
  if (name.length > MAX_NAME_LENGTH) return undefined;
  const distance = (to: string) => editDistance(plain(name), plain(to));
  const limit = Math.max(1, Math.floor(name.length / 4));
  const nearestFirst = known.toSorted((a, b) => distance(a) - distance(b));
  return nearestFirst.find((candidate) => distance(candidate) <= limit);
}

/** How many characters to insert, delete or replace, and neighbours to swap. */
function editDistance(a: string, b: string): number {
  let before: number[] = [];
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const substitution = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      const isSwap = a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      const swap = isSwap ? (before[j - 2] ?? 0) + 1 : substitution;
      next[j] = Math.min((row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1, substitution, swap);
    }
    before = row;
    row = next;
  }
  return row[b.length] ?? 0;
}

/** The remedy for each name that an application may have meant. */
export type Advice = Readonly<Record<string, string>>;

/** The advice for names that are known right here. */
export function didYouMean(known: readonly string[]): Advice {
  return Object.fromEntries(known.map((name) => [name, `did you mean "${name}"?`]));
}

/** The advice for an unknown name; `undefined` when it is far from every other. */
export function adviceOn(name: string, advice: Advice): string | undefined {
  const names = Object.keys(advice);
  const foreign = FOREIGN_NAMES.find((row) => row.names.some((own) => plain(own) === plain(name)));
  const same = names.find((candidate) => plain(candidate) === plain(name));
  if (same !== undefined) return advice[same];
  if (foreign === undefined) return advice[nearestName(name, names) ?? ''];
  const ours = foreign.ours?.find((own) => names.includes(own));
  if (ours === undefined) return foreign.note;
  return foreign.note === undefined ? advice[ours] : `${advice[ours]} (${foreign.note})`;
}

/**
 * @param elsewhere advice for names that are known in another place
 * @throws {TypeError} naming the option and the advice
 */
export function refuseUnknownOptions(
  owner: string,
  options: object,
  known: readonly string[],
  elsewhere: () => Advice = () => ({}),
): void {
  for (const name of Object.keys(options)) {
    if (known.includes(name)) continue;
    const advice = adviceOn(name, { ...elsewhere(), ...didYouMean(known) });
    const rest = advice === undefined ? `. Known: ${known.join(', ')}` : `; ${advice}`;
    throw new TypeError(`${owner}: unknown option "${name}"${rest}`);
  }
}

/** `localhost`, 127.0.0.0/8 and `[::1]`: the only hosts for which plain http is accepted. */
export function isLoopback(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || /^127(\.\d{1,3}){3}$/.test(hostname);
}

/** An address written without its scheme; with a port, the URL class takes the host for the scheme. */
const WITHOUT_SCHEME =
  /^(?:\/\/)?((localhost|[a-z\d-]+(?:\.[a-z\d-]+)+)(?::\d{1,5})?(?:\/[\w.~/-]*)?)(?:[?#]|$)/i;

/** The texts that a template makes of a variable without a value. */
const UNSET = ['undefined', 'null', 'NaN', '[object Object]'];

/** The rule that a text breaks which was read from the environment or from a file; else `undefined`. */
function textFault(text: string): string | undefined {
  if (UNSET.includes(text)) return `is the text "${text}": a variable was probably not set`;
  if (text === text.trim()) return undefined;
  return 'has white space around it, such as the newline of a file; trim it';
}

/** Addresses that have been judged and are good: the clients of many tenants have the same ones. */
const GOOD_ENDPOINTS = new LruMap<string, true>(1000);

/** @throws {TypeError} unless the value is an https URL, or an http URL on a loopback host */
export function requireEndpoint(owner: string, name: string, value: unknown): string {
  if (typeof value === 'string' && GOOD_ENDPOINTS.get(value)) return value;
  const url = judgeEndpoint(owner, name, value);
  GOOD_ENDPOINTS.set(url, true);
  return url;
}

function judgeEndpoint(owner: string, name: string, value: unknown): string {
  const [, address, host = ''] = WITHOUT_SCHEME.exec(String(value)) ?? [];
  if (address !== undefined) {
    const url = `http${isLoopback(host) ? '' : 's'}://${address}`;
    throw optionError(owner, name, `must be an absolute URL: write ${url}`);
  }
  if (typeof value !== 'string' || !URL.canParse(value)) {
    throw optionError(owner, name, 'must be an absolute URL');
  }
  const url = new URL(value);
  const fault = textFault(value) ?? textFault(url.hostname);
  if (fault !== undefined) throw optionError(owner, name, fault);
  if (url.username !== '' || url.password !== '' || url.hash !== '') {
    throw optionError(owner, name, 'must have neither user info nor a fragment');
  }
  if (url.protocol !== 'https:' && !(url.protocol === 'http:' && isLoopback(url.hostname))) {
    const only = 'http is accepted for localhost, 127.0.0.0/8 and [::1] only';
    throw optionError(owner, name, `must be https (${only})`);
  }
  return value;
}

/** @throws {TypeError} when an option that the provider adds is of the wrong kind */
export function checkProviderOptions(
  owner: string,
  options: object,
  kinds: Readonly<Record<string, OptionKind>>,
): void {
  for (const [name, kind] of Object.entries(kinds)) {
    const value: unknown = Reflect.get(options, name);
    if (value === undefined) continue;
    if (kind === 'url') requireEndpoint(owner, name, value);
    else if (kind === 'strings') requireStrings(owner, name, value);
    else if (typeof value !== kind || value === '') {
      throw optionError(owner, name, `must be a ${kind === 'string' ? 'non-empty string' : kind}`);
    } else if (kind === 'string') requireString(owner, name, value);
  }
}

/**
 * An extra of a login. `undefined` and `null` ask for nothing.
 *
 * @throws {TypeError} for a value that would reach the provider in another form, or not at all
 */
export function checkExtra(owner: string, name: string, value: unknown): void {
  const isText = (one: unknown) => typeof one === 'string';
  if (value === undefined || value === null || isText(value) || typeof value === 'boolean') return;
  if (Array.isArray(value) && value.every(isText)) return;
  throw optionError(owner, name, 'must be a string, true or false, or an array of strings');
}

/** @throws {TypeError} unless the value is a non-empty string, with nothing but text in it */
export function requireString(owner: string, name: string, value: unknown): string {
  if (typeof value !== 'string' || value === '') {
    throw optionError(owner, name, 'is required and must be a non-empty string');
  }
  const fault = textFault(value);
  if (fault !== undefined) throw optionError(owner, name, fault);
  return value;
}

/** @throws {TypeError} unless the value is an array of such strings */
export function requireStrings(owner: string, name: string, value: unknown): readonly string[] {
  if (!Array.isArray(value)) throw optionError(owner, name, 'must be an array of strings');
  return value.map((entry) => requireString(owner, name, entry));
}

/** Absolute redirect URIs that have been judged and are good: most applications have one. */
const GOOD_CALLBACK_URLS = new LruMap<string, true>(1000);

/**
 * A redirect URI (RFC 6749 §3.1.2): absolute, on http or https, without a fragment and user info.
 *
 * @param mayBeRelative a path from the root is accepted too, to be resolved with the request
 * @throws {TypeError} saying what to write instead
 */
export function requireCallbackUrl(
  owner: string,
  name: string,
  value: unknown,
  mayBeRelative: boolean,
): string {
  if (typeof value === 'string' && GOOD_CALLBACK_URLS.get(value)) return value;
  const text = requireString(owner, name, value);
  const isAbsolute = /^https?:\/\//i.test(text) && URL.canParse(text);
  const url = new URL(isAbsolute ? text : 'http://localhost');
  const unset = [...text.split(/[/?#:]/), url.hostname].find((part) => UNSET.includes(part));
  const rule =
    (unset && `has a part "${unset}": a variable was probably not set`) ||
    (/\s/.test(text) && 'must have no white space in it') ||
    (text.includes('#') && 'must have no fragment; leave out "#" and the rest') ||
    (`${url.username}${url.password}` !== '' && 'must have no user info before the host');
  if (rule) throw optionError(owner, name, rule);
  if (isAbsolute) GOOD_CALLBACK_URLS.set(text, true);
  if (isAbsolute || (mayBeRelative && /^\/(?![/\\])/.test(text))) return text;
  const host = /^(localhost|[\w-]+(?:\.[\w-]+)+)(?::\d+)?(?:\/[\w/.-]*)?$/.exec(text)?.[1];
  const scheme = host !== undefined && isLoopback(host) ? 'http' : 'https';
  const example = host ? `${scheme}://${text}` : 'https://app.example.com/auth/callback';
  const path = mayBeRelative ? ', or a path that begins with one slash' : '';
  throw optionError(owner, name, `must be an absolute URL, such as "${example}"${path}`);
}

/**
 * `clientSecret`, or `undefined` for a public client, which leaves the option out. An option with the
 * value `undefined` comes from an environment variable that was not set. It must not make a public
 * client, for which less can be checked.
 *
 * @throws {TypeError} when the option is present and not a non-empty string
 */
export function optionalSecret(
  owner: string,
  options: { clientSecret?: unknown },
): string | undefined {
  if (!Object.hasOwn(options, 'clientSecret')) return undefined;
  const { clientSecret } = options;
  if (typeof clientSecret === 'string' && clientSecret !== '') {
    return requireString(owner, 'clientSecret', clientSecret);
  }
  const rule = 'must be a non-empty string; leave it out for a public client';
  throw optionError(owner, 'clientSecret', rule);
}

/**
 * A value that a session or a cookie can hold, so that it is there again at the callback.
 *
 * @throws {TypeError} for what JSON cannot write, or would leave out
 */
export function requireJson(owner: string, name: string, value: unknown): void {
  const check = (_key: string, inner: unknown): unknown => {
    const isLost =
      ['bigint', 'function', 'symbol'].includes(typeof inner) ||
      // A Map or an Error, say: its class keeps the data elsewhere than in fields.
      (typeof inner === 'object' &&
        inner !== null &&
        !Array.isArray(inner) &&
        ![Object.prototype, null].includes(Object.getPrototypeOf(inner) as null) &&
        Object.keys(inner).length === 0);
    if (isLost) throw new TypeError('JSON would leave it out');
    return inner;
  };
  try {
    JSON.stringify(value, check);
  } catch (cause) {
    const rule =
      'must be data that JSON can hold: no function, class, BigInt or object that contains itself';
    throw Object.assign(optionError(owner, name, rule), { cause });
  }
}

/** @throws {TypeError} unless the value is `true`, `false` or `undefined` */
export function requireBoolean(owner: string, name: string, value: unknown): void {
  if (value !== undefined && typeof value !== 'boolean') {
    throw optionError(owner, name, 'must be true or false');
  }
}

/**
 * A number from `min` to `max`, or the fallback when the option is absent.
 *
 * @throws {TypeError} for any other value
 */
export function optionalNumber(
  owner: string,
  name: string,
  value: unknown,
  fallback: number,
  [min, max]: readonly [number, number],
): number {
  if (value === undefined) return fallback;
  if (typeof value !== 'number' || !(value >= min && value <= max)) {
    throw optionError(owner, name, `must be a number from ${min} to ${max}`);
  }
  return value;
}

/** True for a scope-token (RFC 6749 §3.3) without a comma, and for the empty text between two spaces. */
function isScope(value: unknown): value is string {
  return typeof value === 'string' && /^[\x21\x23-\x2b\x2d-\x5b\x5d-\x7e]*$/.test(value);
}

/**
 * The list of scopes in `scope`, which may be an array or a string with spaces, as in passport-oauth2.
 *
 * @throws {TypeError} for any other value, and for commas: the providers separate scopes by spaces
 */
export function scopeList(owner: string, value: unknown): readonly string[] | undefined {
  if (value === undefined) return undefined;
  const list: unknown = typeof value === 'string' ? value.split(' ') : value;
  const scopes: unknown[] = Array.isArray(list) ? [...new Set(list)] : [list];
  if (!scopes.every(isScope)) {
    const rule = 'must be an array of scopes, or a string of them with spaces between';
    throw optionError(owner, 'scope', rule);
  }
  return scopes.filter((scope) => scope !== '');
}

/** Headers that the client sets itself. An application must not replace them. */
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

/**
 * A frozen copy of `customHeaders` in lower case.
 *
 * @throws {TypeError} unless it is an object, and when it sets a header that the client sets itself
 */
export function checkHeaders(owner: string, headers: unknown = {}): Readonly<OutgoingHttpHeaders> {
  if (typeof headers !== 'object' || headers === null) {
    throw optionError(owner, 'customHeaders', 'must be an object');
  }
  const copy: OutgoingHttpHeaders = {};
  for (const [name, value] of Object.entries(headers as OutgoingHttpHeaders)) {
    if (RESERVED_HEADERS.includes(name.toLowerCase())) {
      throw optionError(owner, 'customHeaders', `must not set ${name}`);
    }
    copy[name.toLowerCase()] = value;
  }
  return Object.freeze(copy);
}

/** @throws {TypeError} unless `agent` is absent or has the method of an `http.Agent` that takes a request */
export function checkAgent(owner: string, agent: Agent | undefined): Agent | undefined {
  if (agent === undefined || typeof Reflect.get(Object(agent), 'addRequest') === 'function') {
    return agent;
  }
  throw optionError(owner, 'agent', 'must be an http.Agent or https.Agent');
}
