/** Salesloft's faults: name, step, answer. */
import * as named from '../named-faults.js';
import { ENGINE_WORDS, type ErrorCode } from './salesloft-words.js';

const { answers, at, brings, neverAccepts, says } = named;

const returned = (code: ErrorCode) => brings(code, ENGINE_WORDS[code]);
const refused = (code: ErrorCode, status = 400) => says(status, code, ENGINE_WORDS[code]);

const REFUSED = {
  'invalid-grant': refused('invalid_grant'),
  'invalid-client': refused('invalid_client', 401),
  unauthorized: refused('unauthorized_client'),
  unavailable: refused('temporarily_unavailable', 503),
};

/** Salesloft documents no `retry-after`: two headers of its own tell what is left of the minute's budget. */
const MINUTE_BUDGET = answers(
  429,
  "the minute's budget is spent",
  { error: 'Rate limit exceeded' },
  { 'x-ratelimit-endpoint-cost': '1', 'x-ratelimit-remaining-minute': '0' },
);

const FIELD_ERRORS = { email_address: ['is invalid', 'has already been taken'] };

export const SALESLOFT_FAULTS = {
  ...at('callback', {
    ...named.CALLBACK_WIRE,
    'access-denied': returned('access_denied'),
    'invalid-scope': returned('invalid_scope'),
    unauthorized: returned('unauthorized_client'),
    'server-error': returned('server_error'),
    unavailable: returned('temporarily_unavailable'),
  }),
  ...at('token', { ...REFUSED, ...named.TOKEN_WIRE }),
  ...at('profile', {
    'no-data': ['has no data', { kind: 'json', body: {} }],
    'minute-budget': MINUTE_BUDGET,
    ...named.WIRE,
  }),
  ...at('refresh', { ...REFUSED, ...named.TOKEN_WIRE }),
  ...at('api', {
    'minute-budget': MINUTE_BUDGET,
    'field-errors': answers(422, 'errors by field', { errors: FIELD_ERRORS }),
    forbidden: answers(403, 'the permission is missing', { error: 'Forbidden' }),
    'never-accepted': neverAccepts({ error: 'Invalid Bearer token' }),
    ...named.WIRE,
  }),
} as const satisfies named.FaultTable;

export type SalesloftFaultName = keyof typeof SALESLOFT_FAULTS;
