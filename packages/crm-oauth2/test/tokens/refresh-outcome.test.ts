import { expect } from 'chai';
import { describe as described } from '../../dist/errors/oauth2-error';
import type { Stage } from '../../dist/errors/oauth2-error';
import { Problem } from '../../dist/errors/problem';
import type { ProblemDetails } from '../../dist/errors/problem';
import { providerCode } from '../../dist/errors/provider-codes';
import { failureOf, refreshOutcome, repeatAfter } from '../../dist/tokens/refresh-outcome';
import type { RefreshOutcome } from '../../dist/tokens/refresh-outcome';

const provider = { name: 'acme', hints: {} };

const errorOf = (code: string, details: ProblemDetails = {}, stage: Stage = 'refresh') =>
  described(new Problem(providerCode(code), 'it failed', details), { provider, stage });

/** An error that the provider itself has reported. */
const reported = (code: string, details: ProblemDetails = {}) =>
  errorOf(code, { reportedIn: 'token response', status: 400, ...details });

describe('refresh outcome', () => {
  const table: [RefreshOutcome, string[]][] = [
    ['unused', ['dns_error', 'tls_error', 'connection_refused', 'agent_unusable', 'rate_limited']],
    [
      'unknown',
      [
        'timeout',
        'connection_failed',
        'incomplete_response',
        'response_too_large',
        'unexpected_content_encoding',
        'unexpected_content_type',
        'unexpected_redirect',
        'unexpected_status',
        'provider_unavailable',
        'invalid_json',
        'invalid_token_response',
        'unsupported_token_type',
        'keys_unavailable',
      ],
    ],
    [
      'used up',
      ['subject_mismatch', 'id_token_nonce', 'untrusted_host', 'signature_mismatch', 'of_a_slot'],
    ],
  ];
  for (const [outcome, codes] of table) {
    for (const code of codes) {
      it(`RFC 9700 §4.14.2 — ${code}: ${outcome}`, () => {
        expect(refreshOutcome(errorOf(code))).to.equal(outcome);
        expect(refreshOutcome(errorOf(code, {}, 'id_token'))).to.equal(outcome);
      });
    }
  }

  for (const stage of ['store', 'api', 'profile'] as const) {
    it(`RFC 9700 §4.14.2 — an error of the stage ${stage}: unknown`, () => {
      expect(refreshOutcome(errorOf('subject_mismatch', {}, stage))).to.equal('unknown');
    });
  }

  const answers: [string, ProblemDetails, RefreshOutcome][] = [
    ['invalid_grant', {}, 'used up'],
    ['invalid_grant', { status: 500 }, 'used up'],
    ['invalid_client', { status: 401 }, 'unused'],
    ['invalid_scope', { status: 200 }, 'unused'],
    ['invalid_scope', { status: undefined }, 'unused'],
    ['a_word_of_the_provider', { status: 499 }, 'unused'],
    ['server_error', { status: 500 }, 'unknown'],
    ['server_error', { status: 503, retryAfterSeconds: 1 }, 'unknown'],
    ['temporarily_unavailable', { status: 503 }, 'unused'],
    ['temporarily_unavailable', { status: 500 }, 'unused'],
    ['subject_mismatch', {}, 'unused'],
    ['timeout', {}, 'unused'],
  ];
  for (const [code, details, outcome] of answers) {
    it(`RFC 6749 §5.2 — ${code}, reported by the provider ${JSON.stringify(details)}: ${outcome}`, () => {
      expect(refreshOutcome(reported(code, details))).to.equal(outcome);
    });
  }

  const statuses: [string, ProblemDetails, RefreshOutcome][] = [
    ['unexpected_redirect', { status: 300 }, 'unused'],
    ['unexpected_redirect', { status: 302 }, 'unused'],
    ['unexpected_status', { status: 404 }, 'unused'],
    ['unexpected_status', { status: 499 }, 'unused'],
    ['unexpected_status', { status: 299 }, 'unknown'],
    ['provider_unavailable', { status: 500, retryAfterSeconds: 1 }, 'unknown'],
    ['provider_unavailable', { status: 502 }, 'unknown'],
    ['provider_unavailable', { status: 503 }, 'unknown'],
    ['provider_unavailable', { status: 503, retryAfterSeconds: 0 }, 'unused'],
    ['provider_unavailable', { status: 504, retryAfterSeconds: 1 }, 'unknown'],
  ];
  for (const [code, details, outcome] of statuses) {
    it(`RFC 9110 §15 — ${code} ${JSON.stringify(details)}: ${outcome}`, () => {
      expect(refreshOutcome(errorOf(code, details))).to.equal(outcome);
    });
  }

  it('RFC 9110 §15 — the status of another step says nothing of the refresh', () => {
    const error = errorOf('keys_unavailable', { status: 404 }, 'id_token');
    expect(refreshOutcome(error)).to.equal('unknown');
  });

  const failures: [string, unknown, object | undefined][] = [
    [
      'a refusal, for a minute',
      reported('invalid_grant', { status: 400 }),
      { code: 'invalid_grant', message: 'it failed', status: 400, pause: 60_000 },
    ],
    [
      'an unknown outcome, until the lock ends',
      errorOf('provider_unavailable', { status: 502 }),
      { code: 'provider_unavailable', message: 'it failed', status: 502, pause: 4000 },
    ],
    [
      'a connection that failed, until the lock ends',
      errorOf('connection_failed'),
      { code: 'connection_failed', message: 'it failed', pause: 4000 },
    ],
    [
      'a refusal of the person, for a minute',
      reported('inactive_user'),
      { code: 'inactive_user', message: 'it failed', status: 400, pause: 60_000 },
    ],
    [
      'a client that may not refresh, for a minute',
      reported('unauthorized_client'),
      { code: 'unauthorized_client', message: 'it failed', status: 400, pause: 60_000 },
    ],
    [
      'a client that may be refused for this person alone, for a minute',
      reported('invalid_client', { reported: { error: 'access_denied' } }),
      { code: 'invalid_client', message: 'it failed', status: 400, pause: 60_000 },
    ],
    ['a client that is refused for all people, not at all', reported('invalid_client'), undefined],
    ['an unused refresh token, not at all', reported('invalid_scope'), undefined],
    ['an error of the application, not at all', new Error('of a hook'), undefined],
  ];
  for (const [title, error, expected] of failures) {
    it(`RFC 9700 §4.14.2 — notes ${title}`, () => {
      const before = Date.now();
      const { at, ...failure } = failureOf(error, 4000, ['inactive_user']) ?? { at: before };
      expect(at).to.be.within(before, Date.now());
      const { hint } = error as { hint?: string };
      const told = expected && hint !== undefined ? { ...expected, hint } : (expected ?? {});
      expect(failure).to.deep.equal(told);
    });
  }

  const puttingOff: [string, unknown, number | undefined][] = [
    ['by 429', errorOf('rate_limited', { status: 429, retryAfterSeconds: 7 }), 7000],
    ['by 503', errorOf('provider_unavailable', { status: 503, retryAfterSeconds: 60 }), 60_000],
    ['for hours', errorOf('rate_limited', { status: 429, retryAfterSeconds: 7200 }), 60_000],
    ['for no time', errorOf('rate_limited', { status: 429, retryAfterSeconds: 0 }), undefined],
    ['for an unknown time', errorOf('rate_limited', { status: 429 }), undefined],
  ];
  for (const [title, error, pause] of puttingOff) {
    it(`RFC 9110 §10.2.3 — a provider that puts off two refreshes in a row, ${title}, is believed`, () => {
      expect(failureOf(error, 4000, [])).to.equal(undefined);
      expect(failureOf(error, 4000, [], true)?.pause).to.equal(pause);
    });
  }

  it('RFC 9700 §4.14.2 — notes nothing when the lock has ended, and keeps a message short', () => {
    expect(failureOf(errorOf('timeout'), 0, [])).to.equal(undefined);
    const long = described(new Problem('timeout', 'x'.repeat(301)), { provider, stage: 'refresh' });
    expect(failureOf(long, 1, [])?.message).to.equal('x'.repeat(300));
  });

  it('RFC 6749 §4.1.2.1 — an error that the authorization endpoint reports says nothing of a refresh', () => {
    const details = { reportedIn: 'authorization response' } as const;
    const error = errorOf('invalid_grant', details, 'authorize');
    expect(refreshOutcome(error)).to.equal('unknown');
  });

  it('RFC 9700 §4.14.2 — an error of the application: unknown', () => {
    for (const error of [Object.assign(new Error('of a hook'), { code: 'dns_error' }), 'a text']) {
      expect(refreshOutcome(error)).to.equal('unknown');
      expect(repeatAfter(error)).to.equal(undefined);
    }
  });

  const waits: [string, unknown, number | undefined][] = [
    ['half a second', reported('busy', { retryAfterSeconds: 0.5 }), 500],
    ['no time', reported('busy', { retryAfterSeconds: 0 }), 250],
    ['a time in the past', reported('busy', { retryAfterSeconds: -1 }), undefined],
    ['a time that is not a number', reported('busy', { retryAfterSeconds: Number.NaN }), undefined],
    ['two seconds', reported('busy', { retryAfterSeconds: 2 }), 2000],
    ['more than two seconds', reported('busy', { retryAfterSeconds: 2.1 }), undefined],
    ['no wait', reported('busy'), undefined],
    ['a wait after invalid_grant', reported('invalid_grant', { retryAfterSeconds: 1 }), undefined],
    [
      'a wait in an outage',
      reported('server_error', { status: 503, retryAfterSeconds: 1 }),
      undefined,
    ],
    ['a wait by its status 429', errorOf('rate_limited', { retryAfterSeconds: 1 }), undefined],
  ];
  for (const [title, error, expected] of waits) {
    it(`RFC 9110 §10.2.3 — a provider that asks for ${title}: ${expected === undefined ? 'reported' : `repeated after ${expected} ms`}`, () => {
      expect(repeatAfter(error)).to.equal(expected);
    });
  }
});
