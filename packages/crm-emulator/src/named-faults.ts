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

/** The names of the steps on the sign-in page. */
export const STEP_TITLES: Readonly<Record<Step, string>> = {
  authorize: 'Authorization endpoint',
  callback: 'Callback',
  token: 'Token endpoint',
  refresh: 'Refresh',
  jwks: 'Key set',
  profile: 'Profile',
  userinfo: 'UserInfo',
  api: 'API',
  revoke: 'Revocation',
};

/** The rows of one step; their names begin with the step, or with `prefix`. */
export function at<S extends Step, Some extends Rows, Prefix extends string = S>(
  step: S,
  rows: Some,
  title = STEP_TITLES[step],
  prefix?: Prefix,
) {
  const table = Object.entries<Row>(rows).map(([name, row]) => {
    const [label, answer] = row.length === 3 ? refusal(step, row) : row;
    const fault: NamedFault = {
      label: `${title} ${label}`,
      get fault() {
        return { ...(typeof answer === 'function' ? answer() : answer), step } as Fault;
      },
    };
    return [`${prefix ?? step}-${name}`, fault];
  });
  return Object.fromEntries(table) as FaultTable<`${Prefix}-${keyof Some & string}`>;
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

const SLOW_MS = 15_000;
const UNAVAILABLE = { kind: 'status', status: 503, body: 'Service Unavailable' } as const;

/** The faults that any endpoint can have. */
export const WIRE = {
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
export const TOKEN_WIRE = {
  ...WIRE,
  late: ['acts at once, and answers after 15 seconds', { kind: 'late', delayMs: SLOW_MS }],
} as const satisfies Rows;

/** The app may not have a refresh token, for example because the API does not allow offline access. */
export const NO_REFRESH_TOKEN = {
  'no-refresh-token': ['gives no refresh token, and not its scope', { kind: 'not-offline' }],
} as const satisfies Rows;

/** The accidents that a callback can have on its way. */
export const CALLBACK_WIRE = {
  'no-parameters': ['loses its parameters', { kind: 'no-parameters' }],
  fragment: ['has its parameters in the fragment', { kind: 'fragment' }],
  late: ['comes after 15 seconds', { kind: 'slow', delayMs: SLOW_MS }],
} as const satisfies Rows;

const idToken = (fault: Omit<Extract<Fault, { kind: 'id-token' }>, 'step' | 'kind'>) =>
  ({ ...fault, kind: 'id-token' }) as const;
const claims = (changed: Record<string, unknown>) => idToken({ claims: changed });

/** ID Tokens that a client must refuse (OIDC Core §3.1.3.7). */
export const ID_TOKENS = at(
  'token',
  {
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
  'ID Token',
  'id-token',
);

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
