/** Salesloft's faults: name, step, answer. */
import { answers, faultsOf, neverAccepts } from '../named-faults.js';
import { says } from './salesloft-refusals.js';

const REFUSED = {
  'invalid-grant': says(400, 'invalid_grant'),
  'invalid-client': says(401, 'invalid_client'),
  unauthorized: says(400, 'unauthorized_client'),
  unavailable: says(503, 'temporarily_unavailable'),
};

/** Salesloft documents no `retry-after`: two headers of its own tell what is left of the minute's budget. */
const MINUTE_BUDGET = answers(
  429,
  "the minute's budget is spent",
  { error: 'Rate limit exceeded' },
  { 'x-ratelimit-endpoint-cost': '1', 'x-ratelimit-remaining-minute': '0' },
);

const FIELD_ERRORS = { email_address: ['is invalid', 'has already been taken'] };

export const SALESLOFT_FAULTS = faultsOf({
  callback: {
    'access-denied': says(302, 'access_denied'),
    'invalid-scope': says(302, 'invalid_scope'),
    unauthorized: says(302, 'unauthorized_client'),
    'server-error': says(302, 'server_error'),
    unavailable: says(302, 'temporarily_unavailable'),
  },
  token: REFUSED,
  profile: {
    'no-data': ['has no data', { kind: 'json', body: {} }],
    'minute-budget': MINUTE_BUDGET,
  },
  refresh: REFUSED,
  api: {
    'minute-budget': MINUTE_BUDGET,
    'field-errors': answers(422, 'errors by field', { errors: FIELD_ERRORS }),
    forbidden: answers(403, 'the permission is missing', { error: 'Forbidden' }),
    'never-accepted': neverAccepts({ error: 'Invalid Bearer token' }),
  },
});

export type SalesloftFaultName = keyof typeof SALESLOFT_FAULTS;
