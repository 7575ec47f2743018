/** Which errors of a token request keep a client from asking again, and for how long. */
import { expect } from 'chai';
import { describe as described } from '../../dist/errors/oauth2-error';
import type { OAuth2Error } from '../../dist/errors/oauth2-error';
import { Problem } from '../../dist/errors/problem';
import type { ProblemDetails } from '../../dist/errors/problem';
import { providerCode } from '../../dist/errors/provider-codes';
import { pauseForApp, pauseForPeople, unlessRefused } from '../../dist/tokens/refused-clients';
import { rejection } from '../support';

const errorOf = (code: string, details: ProblemDetails) =>
  described(new Problem(providerCode(code), 'it failed', details), {
    provider: { name: 'acme', hints: {} },
    stage: 'refresh',
  }) as OAuth2Error;

const reported = { reportedIn: 'token response' } as const;

describe('refused clients', () => {
  const table: [code: string, details: ProblemDetails, people: number, app: number][] = [
    ['invalid_client', { ...reported, status: 401 }, 30_000, 30_000],
    ['invalid_client_id', reported, 30_000, 30_000],
    ['invalid_client', { status: 401 }, 0, 0],
    ['invalid_scope', { ...reported, status: 400 }, 0, 30_000],
    ['invalid_scope', { ...reported, status: 499 }, 0, 30_000],
    ['server_error', { ...reported, status: 500 }, 0, 0],
    ['rate_limited', { status: 429, retryAfterSeconds: 2 }, 0, 2000],
    ['slow_down', { ...reported, status: 400, retryAfterSeconds: 0 }, 0, 0],
    ['rate_limited', { status: 429, retryAfterSeconds: 31 }, 0, 30_000],
  ];
  for (const [code, details, people, app] of table) {
    it(`RFC 6749 §5.2 — ${code} ${JSON.stringify(details)}: people wait ${people} ms, the app ${app} ms`, () => {
      const error = errorOf(code, details);
      expect(pauseForPeople(error)).to.equal(people);
      expect(pauseForApp(error)).to.equal(app);
    });
  }

  for (const [title, error, pause, isKept] of [
    ['a refusal is thrown again', errorOf('invalid_client', reported), 30_000, true],
    ['an error without a pause is not', errorOf('invalid_scope', reported), 0, false],
    ['an error of the application is not', new Error('of a hook'), 30_000, false],
  ] as const) {
    it(`RFC 6749 §5.2 — ${title}`, async () => {
      const client = {};
      const ask = (work: () => Promise<string>) => unlessRefused(client, () => pause, work);
      expect(await rejection(ask(() => Promise.reject(error)))).to.equal(error);
      const next = ask(() => Promise.resolve('asked'));
      if (isKept) expect(await rejection(next)).to.equal(error);
      else expect(await next).to.equal('asked');
      expect(
        await unlessRefused(
          {},
          () => pause,
          () => Promise.resolve('asked'),
        ),
      ).to.equal('asked');
    });
  }
});
