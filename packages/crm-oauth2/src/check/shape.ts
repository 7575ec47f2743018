/** The shape of an answer: names of fields and kinds of values. No value of a person is in it. */
import { redact } from '../errors/redaction';
import { isJsonObject } from '../values/json';
import { isLoopback } from '../values/options';

/** One field: where it stands, and the kind of its value. */
export type Row = readonly [field: string, kind: string];

/** The values that must not be shown, and the hosts that may be. */
export interface Disclosure {
  /** Values that were sent and received. */
  secrets: readonly (string | undefined)[];
  /** The hosts of the description, which its package publishes. */
  knownHosts: readonly string[];
}

/** Fields of an object, and levels of objects, that are shown. */
const MAX_FIELDS = 100;
const MAX_LEVELS = 4;

/** The fields of an answer, those of nested objects too: `team.id`. */
export function shapeOf(value: unknown, disclosure: Disclosure, path = '', level = 0): Row[] {
  if (!isJsonObject(value)) return [[path || '(the answer)', kindOf(path, value, disclosure)]];
  const entries = Object.entries(value);
  const rows = entries.slice(0, MAX_FIELDS).flatMap(([name, inner]): Row[] => {
    const field =
      path === '' ? shownName(name, disclosure) : `${path}.${shownName(name, disclosure)}`;
    const first: unknown = Array.isArray(inner) ? inner[0] : undefined;
    if (isJsonObject(first) && level < MAX_LEVELS) {
      return shapeOf(first, disclosure, `${field}[]`, level + 1);
    }
    if (isJsonObject(inner) && level < MAX_LEVELS && Object.keys(inner).length > 0) {
      return shapeOf(inner, disclosure, field, level + 1);
    }
    return [[field, kindOf(name, inner, disclosure)]];
  });
  const more = entries.length - MAX_FIELDS;
  return more > 0 ? [...rows, [path || '(the answer)', `${more} more fields`]] : rows;
}

/** A name that a provider gave to a customer, such as the URL of a claim or an id, is not shown. */
function shownName(name: string, { secrets }: Disclosure): string {
  const isPlain = /^[A-Za-z_][A-Za-z_-]{0,40}\d{0,3}$/.test(name);
  if (isPlain && redact(name, secrets) === name) return name;
  return URL.canParse(name) ? '(a name that is a URL)' : '(a name of its own)';
}

/** Names of fields whose numbers tell a lifetime, in seconds. */
const LIFETIME = /(?:^|_)expires_in$/;

function kindOf(name: string, value: unknown, disclosure: Disclosure): string {
  if (value === null) return 'null';
  if (typeof value === 'boolean') return 'true or false';
  if (Array.isArray(value)) return kindOfList(name, value, disclosure);
  if (typeof value === 'object') return 'object';
  const isLifetime = LIFETIME.test(name);
  if (typeof value === 'number') return isLifetime ? `${value} seconds` : kindOfNumber(value);
  if (typeof value !== 'string') return 'nothing';
  const isSeconds = isLifetime && /^\d{1,9}$/.test(value);
  return isSeconds ? `text: ${value} seconds` : kindOfText(value, disclosure);
}

function kindOfList(name: string, values: readonly unknown[], disclosure: Disclosure): string {
  const kinds = new Set(values.slice(0, MAX_FIELDS).map((one) => kindOf(name, one, disclosure)));
  return kinds.size === 0 ? 'empty list' : `list of: ${[...kinds].join(', ')}`;
}

function kindOfNumber(value: number): string {
  if (!Number.isInteger(value)) return 'number';
  if (value >= 1e12 && value < 1e13) return 'whole number, as epoch milliseconds';
  return value >= 1e9 && value < 1e10 ? 'whole number, as epoch seconds' : 'whole number';
}

/** Each kind of text, with its form; the first that fits counts. */
const TEXTS: readonly (readonly [kind: string, form: RegExp])[] = [
  ['empty text', /^$/],
  ['JWT', /^eyJ[\w-]+\.[\w-]+\.[\w-]*$/],
  ['e-mail address', /^[^\s@]+@[^\s@]+\.[^\s@]+$/],
  ['UUID', /^[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}$/i],
  ['date and time', /^\d{4}-\d\d-\d\d[T ]\d\d:\d\d/],
  ['date', /^\d{4}-\d\d-\d\d$/],
  ['text of digits, as epoch milliseconds', /^\d{13}$/],
  ['text of digits, as epoch seconds', /^\d{10}$/],
  ['text of digits', /^\d+$/],
  ['time zone', /^[A-Z][A-Za-z]+\/[A-Z][\w+/-]+$/],
];

/** Longer texts are not compared with each form, which would take long. */
const LONG_LENGTH = 1000;

/** Texts of so many characters without white space are tokens, signatures or ids. */
const OPAQUE_LENGTH = 16;

function kindOfText(text: string, disclosure: Disclosure): string {
  const forms = text.length > LONG_LENGTH ? TEXTS.filter(([kind]) => kind === 'JWT') : TEXTS;
  const found = forms.find(([, form]) => form.test(text));
  if (found) return found[0];
  if (/^https?:\/\//.test(text) && URL.canParse(text)) {
    const { protocol, host } = new URL(text);
    return `${protocol.slice(0, -1)} URL at ${shownHost(host, disclosure)}`;
  }
  if (/\s/.test(text)) return 'words';
  if (text.length < OPAQUE_LENGTH) return 'text';
  // To the next ten: enough to compare columns of a database with, and not the value.
  return `opaque text of at most ${Math.ceil(text.length / 10) * 10} characters`;
}

/** The last two labels of a host name. */
const domainOf = (host: string) => host.split('.').slice(-2).join('.');

/** The first label of an unknown host of the provider names an organization. Other hosts are not shown. */
export function shownHost(host: string, { knownHosts }: Disclosure): string {
  if (isLoopback(host.replace(/:\d+$/, ''))) return 'this machine';
  if (knownHosts.includes(host)) return host;
  const isOfProvider = knownHosts.some((known) => domainOf(known) === domainOf(host));
  if (!isOfProvider || host.split('.').length < 3) return 'a host of another domain';
  return `*.${host.split('.').slice(1).join('.')}`;
}
