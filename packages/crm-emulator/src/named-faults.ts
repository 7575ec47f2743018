/** The rows of the providers' fault tables: each is a name, the step it goes wrong at, and the answer. */
import type { Words } from './reasons.js';
import type { Fault, NamedFault, Step } from './types.js';

export type FaultTable<Name extends string = string> = Readonly<Record<Name, NamedFault>>;

/** A fault without its step; distributes over the union, which plain `Omit` does not. */
type Answer<One = Fault> = One extends Fault ? Omit<One, 'step'> : never;

/**
 * A refusal, as in the provider's table of refusals; or the words that follow the title of the step, and the
 * answer, or a function that makes it when it is queued.
 */
export type Row = Words | readonly [label: string, answer: Answer | (() => Answer)];
export type Rows = Readonly<Record<string, Row>>;

/** The step of a fault, or the ID Token of the token response. Its title is on the sign-in page. */
export const TITLES = {
  authorize: 'Authorization endpoint',
  callback: 'Callback',
  token: 'Token endpoint',
  'id-token': 'ID Token',
  refresh: 'Refresh',
  jwks: 'Key set',
  profile: 'Profile',
  userinfo: 'UserInfo',
  api: 'API',
  revoke: 'Revocation',
} as const satisfies Record<Step | 'id-token', string>;

export function answers(
  status: number,
  label: string,
  body: unknown,
  headers?: Record<string, string>,
): Row {
  return [`answers ${status}: ${label}`, { kind: 'status', status, body, headers }];
}

/** For a session that an API never accepts, although it is new. */
export const neverAccepts = (body: unknown): Row => [
  'accepts no session',
  { kind: 'status', status: 401, body, times: Infinity },
];

/** A row for an app that may not have a refresh token, because the API does not allow offline access. */
export const NO_REFRESH_TOKEN: Row = [
  'gives no refresh token, and not its scope',
  { kind: 'not-offline' },
];

const SLOW_MS = 15_000;
const UNAVAILABLE = { kind: 'status', status: 503, body: 'Service Unavailable' } as const;

/** The faults that any endpoint can have. */
const WIRE = {
  slow: ['answers after 15 seconds', { kind: 'slow', delayMs: SLOW_MS }],
  silent: ['never answers', { kind: 'silent' }],
  reset: ['breaks the connection', { kind: 'reset' }],
  cut: ['stops half-way', { kind: 'cut' }],
  '500': ['answers 500', { kind: 'status', status: 500 }],
  '502': ['answers 502', { kind: 'html', status: 502, title: '502 Bad Gateway' }],
  '503': ['answers 503', UNAVAILABLE],
  '503-retry': ['answers 503, retry after 30 seconds', { ...UNAVAILABLE, retryAfter: 30 }],
  '429': ['answers 429, retry after 30 seconds', { kind: 'status', status: 429, retryAfter: 30 }],
  html: ['answers with a web page', { kind: 'html' }],
  firewall: [
    'answers 403 with the page of a firewall',
    { kind: 'html', status: 403, title: 'Request blocked' },
  ],
  'not-json': ['answers with broken JSON', { kind: 'not-json' }],
  redirect: [
    'redirects to another host',
    { kind: 'redirect', location: 'http://127.0.0.2:9/elsewhere' },
  ],
} as const satisfies Rows;

/** The faults of the token endpoint, for codes and for refresh tokens. */
const TOKEN_WIRE = {
  ...WIRE,
  late: ['acts at once, and answers after 15 seconds', { kind: 'late', delayMs: SLOW_MS }],
} as const satisfies Rows;

const idToken = (fault: Omit<Extract<Fault, { kind: 'id-token' }>, 'step' | 'kind'>) =>
  ({ ...fault, kind: 'id-token' }) as const;
const claims = (changed: Record<string, unknown>) => idToken({ claims: changed });

/** The accidents that each place can have, in whatever words its provider refuses. */
const ACCIDENTS = {
  callback: {
    'no-parameters': ['loses its parameters', { kind: 'no-parameters' }],
    fragment: ['has its parameters in the fragment', { kind: 'fragment' }],
    late: ['comes after 15 seconds', { kind: 'slow', delayMs: SLOW_MS }],
  },
  token: TOKEN_WIRE,
  /** ID Tokens that a client must refuse (OIDC Core §3.1.3.7). */
  'id-token': {
    'alg-none': ['is unsigned (alg none)', idToken({ alg: 'none' })],
    hs256: ['is signed with the public key (HS256)', idToken({ alg: 'HS256' })],
    'unknown-kid': ['names an unknown key', idToken({ alg: 'unknown-kid' })],
    'embedded-jwk': ['brings its own key', idToken({ alg: 'embedded-jwk' })],
    'bad-signature': ['has a bad signature', idToken({ alg: 'bad-signature' })],
    audience: ['is for another client', claims({ aud: 'another-client' })],
    issuer: ['is of another issuer', claims({ iss: 'https://evil.example/' })],
    nonce: ['has another nonce', claims({ nonce: 'another-nonce' })],
    expired: ['has expired', claims({ exp: 1_600_000_000, iat: 1_599_999_000 })],
  },
  refresh: TOKEN_WIRE,
  jwks: WIRE,
  profile: WIRE,
  userinfo: WIRE,
  api: WIRE,
} as const satisfies Partial<Record<keyof typeof TITLES, Rows>>;

type Accidents = typeof ACCIDENTS;
type Place = keyof Accidents;

/** As `token-slow`: the place, and the name of a row or of an accident. */
type NameIn<Table> = {
  [At in keyof Table & Place]: `${At}-${(keyof Table[At] | keyof Accidents[At]) & string}`;
}[keyof Table & Place];

/** The named faults of a provider: its own rows by their place, and the accidents of each place that it has. */
export function faultsOf<Table extends Partial<Record<Place, Rows>>>(
  table: Table,
  titles: Partial<Record<Place, string>> = {},
) {
  const faults = Object.entries<Rows>(table).flatMap(([key, own]) => {
    const place = key as Place;
    const step = place === 'id-token' ? 'token' : place;
    return Object.entries<Row>({ ...own, ...ACCIDENTS[place] }).map(([name, row]) => {
      const [label, answer] = row.length === 3 ? refusal(step, row) : row;
      const fault: NamedFault = {
        label: `${titles[place] ?? TITLES[place]} ${label}`,
        get fault() {
          return { ...(typeof answer === 'function' ? answer() : answer), step } as Fault;
        },
      };
      return [`${place}-${name}`, fault] as const;
    });
  });
  return Object.fromEntries(faults) as FaultTable<NameIn<Table>>;
}

const LABEL_LENGTH = 64;

/** The browser brings a refusal back to the application (RFC 6749 §4.1.2.1), or an endpoint says it (§5.2). */
function refusal(step: Step, [status, error, error_description]: Words) {
  const isLong = error_description.length > LABEL_LENGTH;
  const shown = isLong ? `${error_description.slice(0, LABEL_LENGTH)}…` : error_description;
  const body = { error, error_description };
  const answer: Answer =
    step === 'callback'
      ? { kind: 'patch', merge: { code: null, context: null, scope: null, ...body } }
      : { kind: 'json', status, body };
  return [`says ${error}: ${shown}`, answer] as const;
}

/** Tells whether a fault can happen after a sign-in for these scopes. */
export function canHappen(
  { step, kind }: Fault,
  scopes: ReadonlySet<string>,
  hasRefreshToken: boolean,
): boolean {
  if (step === 'refresh' || kind === 'not-offline') return hasRefreshToken;
  const takesOpenID = kind === 'id-token' || step === 'jwks' || step === 'userinfo';
  return !takesOpenID || scopes.has('openid');
}
