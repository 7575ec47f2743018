import { expect } from 'chai';
import {
  isAuthorizationResponse,
  validateAuthorizationResponse,
} from '../../dist/protocol/authorization-response';
import type { MissingAttempt } from '../../dist/protocol/authorization-response';
import { Problem } from '../../dist/errors/problem';
import type { Vocabulary } from '../../dist/errors/meanings';
import { providerCode } from '../../dist/errors/provider-codes';
import type { LoginAttempt } from '../../dist/protocol/login-attempt';
import { rejection } from '../support';

const ATTEMPT: LoginAttempt = {
  state: 'state-1',
  codeVerifier: 'verifier-1',
  client: 'fingerprint-1',
  redirectUri: 'https://app.test/callback',
  expiresAt: Date.now() + 600_000,
};

/** Validates, and tells which states were taken. */
function validate(
  parameters: Record<string, unknown>,
  {
    attempt = ATTEMPT,
    issuer = 'https://acme.test/',
    vocabulary,
    ...expected
  }: {
    attempt?: LoginAttempt | MissingAttempt;
    issuer?: string | null;
    vocabulary?: Vocabulary;
    trustsIssuer?: (iss: string) => boolean;
    namesIssuer?: boolean;
  } = {},
) {
  const taken: string[] = [];
  const response = validateAuthorizationResponse(parameters, {
    take: (state) => {
      taken.push(state);
      return Promise.resolve(attempt);
    },
    expect: () => ({ client: 'fingerprint-1', issuer: issuer ?? undefined, ...expected }),
    vocabulary,
  });
  return { response, taken };
}

async function refusalOf(
  parameters: Record<string, unknown>,
  options?: Parameters<typeof validate>[1],
): Promise<{ problem: Problem; taken: string[] }> {
  const { response, taken } = validate(parameters, options);
  const problem: unknown = await rejection(response);
  expect(problem).to.be.instanceOf(Problem);
  return { problem: problem as Problem, taken };
}

/** Parameters as a parser makes them: own properties, whatever their names. */
function own(entries: [string, unknown][]): Record<string, unknown> {
  return Object.fromEntries(entries);
}

describe('authorization response', () => {
  it('RFC 6749 §10.12 — takes `undefined` of a store for a login that is unknown', async () => {
    const take = () => undefined as unknown as LoginAttempt;
    const error = await validateAuthorizationResponse(
      { state: 's', code: 'c' },
      { take, expect: () => ({ client: 'x' }) },
    ).catch((problem: unknown) => problem);
    expect(error).to.include({ code: 'state_unknown' });
  });

  describe('the client that began the attempt', () => {
    const parameters = { code: 'code-1', state: 'state-1' };
    const client = 'fingerprint-1';

    it('is found by the attempt, at once or later', async () => {
      const seen: unknown[] = [];
      for (const expected of [{ client }, Promise.resolve({ client })]) {
        const expectOf = (attempt: LoginAttempt) => {
          seen.push(attempt);
          return expected;
        };
        const pending = { take: () => ATTEMPT, expect: expectOf };
        expect((await validateAuthorizationResponse(parameters, pending)).code).to.equal('code-1');
      }
      expect(seen).to.deep.equal([ATTEMPT, ATTEMPT]);
    });

    it('RFC 6749 §10.12 — is looked for only when the attempt is of this state, and pending', async () => {
      for (const attempt of [
        'state_unknown' as const,
        { ...ATTEMPT, state: 'state-2' },
        { ...ATTEMPT, expiresAt: Date.now() - 1 },
      ]) {
        let isAsked = false;
        const expectOf = () => {
          isAsked = true;
          return { client };
        };
        const pending = { take: () => attempt, expect: expectOf };
        await rejection(validateAuthorizationResponse(parameters, pending));
        expect(isAsked).to.equal(false);
      }
    });

    it('that cannot be found ends the login, whatever the answer reports', async () => {
      const problem = new Problem('tenant_unknown', 'there is no such tenant', { refusal: 403 });
      const bug = new Error('the database is down');
      for (const reason of [problem, bug]) {
        const pending = { take: () => ATTEMPT, expect: async () => await Promise.reject(reason) };
        const error = await rejection(
          validateAuthorizationResponse({ state: 'state-1', error: 'access_denied' }, pending),
        );
        expect(error).to.equal(reason);
      }
      expect(problem.message).to.equal(
        'there is no such tenant; the answer also reported "access_denied"',
      );
      expect(bug.message).to.equal('the database is down');
    });

    it('CWE-1321 — is found by the fields of the attempt alone', async () => {
      Reflect.set(Object.prototype, 'tenant', 'evil');
      try {
        let tenant: unknown = 'unset';
        const expectOf = (attempt: LoginAttempt) => {
          tenant = attempt.tenant;
          return { client };
        };
        const { attempt } = await validateAuthorizationResponse(parameters, {
          take: () => ATTEMPT,
          expect: expectOf,
        });
        expect([tenant, attempt.tenant]).to.deep.equal([undefined, undefined]);
      } finally {
        Reflect.deleteProperty(Object.prototype, 'tenant');
      }
    });
  });

  it('RFC 6749 §4.1.2.1 — names the redirect URI that the provider does not know', async () => {
    const { problem } = await refusalOf({ state: 'state-1', error: 'redirect_uri_mismatch' });
    expect(problem.message).to.equal('redirect_uri_mismatch; sent: https://app.test/callback');
    const { problem: other } = await refusalOf({ state: 'state-1', error: 'access_denied' });
    expect(other.message).to.equal('access_denied');
  });

  it('RFC 6749 §4.1.2 — accepts code and state, and hands out the attempt', async () => {
    const { response, taken } = validate({ code: 'code-1', state: 'state-1' });
    expect(await response).to.deep.equal({ code: 'code-1', attempt: ATTEMPT });
    expect(taken).to.deep.equal(['state-1']);
  });

  it('RFC 6749 §4.1.2 — ignores foreign parameters, whatever their shape', async () => {
    const { response } = validate({
      code: 'code-1',
      state: 'state-1',
      context: ['a', 'b'],
      scope: { deep: 'x'.repeat(9999) },
      session_state: 'x'.repeat(9999),
    });
    expect((await response).code).to.equal('code-1');
  });

  it('RFC 9207 §2.4 — refuses a response without iss where each has one, an error too', async () => {
    for (const came of [{ code: 'c' }, { error: 'access_denied' }]) {
      const { problem } = await refusalOf({ state: 'state-1', ...came }, { namesIssuer: true });
      expect(problem.code).to.equal('iss_missing');
      expect(problem.details.refusal).to.equal(403);
    }
    const iss = 'https://acme.test/';
    const { response } = validate({ state: 'state-1', code: 'c', iss }, { namesIssuer: true });
    expect(await response).to.deep.equal({ code: 'c', attempt: ATTEMPT });
  });

  it('RFC 9207 §2.4 — keeps an iss that the provider trusts, for the token response to prove', async () => {
    const trustsIssuer = (iss: string) => iss === 'https://org.acme.test';
    const parameters = { state: 'state-1', code: 'c', iss: 'https://org.acme.test' };
    expect(await validate(parameters, { trustsIssuer }).response).to.deep.equal({
      code: 'c',
      attempt: ATTEMPT,
      issuer: 'https://org.acme.test',
    });
    const { problem } = await refusalOf({ ...parameters, iss: 'https://b.test' }, { trustsIssuer });
    expect(problem.code).to.equal('issuer_mismatch');
  });

  it('RFC 9207 §2.4 — accepts the iss of the issuer that was asked', async () => {
    const { response } = validate({ code: 'c', state: 'state-1', iss: 'https://acme.test/' });
    expect((await response).code).to.equal('c');
  });

  describe('order of checks', () => {
    // Each response has every later fault too; only the first one may be named.
    const wrong = { iss: 'https://evil.test/', error: 'access_denied' };
    const cases: [string, Record<string, unknown>, string, string[]][] = [
      [
        'a repeated parameter before state',
        { ...wrong, state: 'x', code: ['a', 'b'] },
        'repeated_parameter',
        [],
      ],
      [
        'an oversized parameter before state',
        { ...wrong, code: 'c'.repeat(4097) },
        'parameter_too_long',
        [],
      ],
      ['state before iss and error', { ...wrong }, 'state_missing', []],
      ['iss before error', { ...wrong, state: 'state-1' }, 'issuer_mismatch', ['state-1']],
      [
        'error before code',
        { state: 'state-1', error: 'access_denied', code: 'c' },
        'access_denied',
        ['state-1'],
      ],
      ['code last', { state: 'state-1' }, 'code_missing', ['state-1']],
    ];
    for (const [title, parameters, code, expectedTaken] of cases) {
      it(`RFC 6749 §4.1.2 — looks at ${title}`, async () => {
        const { problem, taken } = await refusalOf(parameters);
        expect(problem.code).to.equal(code);
        expect(taken).to.deep.equal(expectedTaken);
      });
    }
  });

  describe('refusals', () => {
    const soon = { code: 'c', state: 'state-1' };
    const expired = { ...ATTEMPT, expiresAt: Date.now() - 1 };
    const cases: [string, Record<string, unknown>, Parameters<typeof validate>[1], string][] = [
      ['RFC 6749 §4.1.2 — state is missing', { code: 'c' }, {}, 'state_missing'],
      ['RFC 6749 §4.1.2 — state is empty', { code: 'c', state: '' }, {}, 'state_missing'],
      ['RFC 6749 §10.12 — no session', soon, { attempt: 'session_missing' }, 'session_missing'],
      ['RFC 6749 §10.12 — unknown state', soon, { attempt: 'state_unknown' }, 'state_unknown'],
      [
        'RFC 9700 §4.7 — the store says expired',
        soon,
        { attempt: 'state_expired' },
        'state_expired',
      ],
      ['RFC 9700 §4.7 — the attempt has expired', soon, { attempt: expired }, 'state_expired'],
      [
        'RFC 9700 §4.7 — the attempt begins in the future, since the clock was set back',
        soon,
        { attempt: { ...ATTEMPT, expiresAt: Date.now() + 4_200_000 } },
        'state_expired',
      ],
      [
        'RFC 9700 §4.7 — the store answers with another attempt',
        soon,
        { attempt: { ...ATTEMPT, state: 'state-2' } },
        'state_unknown',
      ],
      [
        'RFC 9700 §4.4 — the attempt is of another client',
        soon,
        { attempt: { ...ATTEMPT, client: 'fingerprint-2' } },
        'state_of_another_client',
      ],
      [
        'RFC 9207 §2.4 — iss is another issuer',
        { ...soon, iss: 'https://acme.test' },
        {},
        'issuer_mismatch',
      ],
      ['RFC 9207 §2.4 — iss is empty', { ...soon, iss: '' }, {}, 'issuer_mismatch'],
      [
        'RFC 9207 §2.4 — iss where no issuer is known',
        { ...soon, iss: 'https://acme.test/' },
        { issuer: null },
        'issuer_mismatch',
      ],
      ['RFC 6749 §4.1.2 — code is missing', { state: 'state-1' }, {}, 'code_missing'],
      ['RFC 6749 §4.1.2 — code is empty', { state: 'state-1', code: '' }, {}, 'code_missing'],
    ];
    for (const [title, parameters, options, code] of cases) {
      it(`${title}: ${code}, 403`, async () => {
        const { problem } = await refusalOf(parameters, options);
        expect(problem.code).to.equal(code);
        expect(problem.details.refusal).to.equal(403);
        expect(problem.details.reportedIn).to.equal(undefined);
      });
    }
  });

  describe('the reason in words', () => {
    const soon = { code: 'c', state: 'state-1' };
    const other = { attempt: { ...ATTEMPT, client: 'fingerprint-2' } };
    const WORDS: [Record<string, unknown>, Parameters<typeof validate>[1], string][] = [
      [{ code: 'c' }, {}, 'the response has no state'],
      [{ state: 'state-1' }, {}, 'the response has neither code nor error'],
      [{ ...soon, code: ['a', 'b'] }, {}, 'code is not one string'],
      [{ ...soon, iss: 'x'.repeat(4097) }, {}, 'iss is too long'],
      [soon, other, 'the pending login is of another client'],
      [soon, { namesIssuer: true }, 'the response does not name its issuer'],
      [
        { ...soon, iss: 'https://b.test' },
        {},
        'iss is "https://b.test" (unproven), expected "https://acme.test/"',
      ],
      [
        { ...soon, iss: 'https://b.test' },
        { issuer: null },
        'iss is "https://b.test" (unproven), none is known',
      ],
    ];
    for (const [parameters, options, words] of WORDS) {
      it(`says that ${words}, and no more`, async () => {
        const { problem } = await refusalOf(parameters, options);
        expect(problem.message).to.equal(words);
      });
    }
  });

  describe('parameters that are not one string', () => {
    for (const name of ['code', 'state', 'iss', 'error', 'error_description', 'error_uri']) {
      for (const [shape, value] of [
        ['an array', ['a', 'a']],
        ['an array of one', ['state-1']],
        ['an object', { toString: 'x' }],
        ['null', null],
        ['a number', 1],
      ] as const) {
        it(`RFC 6749 §3.1 — refuses ${name} as ${shape}, and takes nothing`, async () => {
          const { problem, taken } = await refusalOf({
            code: 'c',
            state: 'state-1',
            [name]: value,
          });
          expect(problem.code).to.equal('repeated_parameter');
          expect(problem.details.refusal).to.equal(403);
          expect(taken).to.deep.equal([]);
        });
      }

      it(`refuses an over-long ${name}, and takes nothing`, async () => {
        const { problem, taken } = await refusalOf({
          code: 'c',
          state: 'state-1',
          [name]: 'x'.repeat(4097),
        });
        expect(problem.code).to.equal('parameter_too_long');
        expect(problem.details.refusal).to.equal(403);
        expect(taken).to.deep.equal([]);
      });
    }

    it('accepts a code of 4096 characters', async () => {
      const { response } = validate({ code: 'c'.repeat(4096), state: 'state-1' });
      expect((await response).code).to.have.lengthOf(4096);
    });
  });

  describe('names of Object.prototype', () => {
    for (const name of ['__proto__', 'constructor', 'hasOwnProperty', 'toString']) {
      it(`ignores a parameter called ${name}`, async () => {
        const parameters = own([
          [name, ['x', { code: 'y' }]],
          ['code', 'code-1'],
          ['state', 'state-1'],
        ]);
        expect((await validate(parameters).response).code).to.equal('code-1');
      });

      it(`asks the store for a state called ${name} like for any other`, async () => {
        const { problem, taken } = await refusalOf(
          { code: 'c', state: name },
          { attempt: 'state_unknown' },
        );
        expect(problem.code).to.equal('state_unknown');
        expect(taken).to.deep.equal([name]);
      });
    }

    it('believes no inherited parameter', async () => {
      const parameters = Object.create({ state: 'state-1', code: 'c' }) as Record<string, unknown>;
      const { problem, taken } = await refusalOf(parameters);
      expect(problem.code).to.equal('state_missing');
      expect(taken).to.deep.equal([]);
    });
  });

  describe('errors of the provider', () => {
    const refusals = [
      'access_denied',
      'login_required',
      'consent_required',
      'interaction_required',
      'account_selection_required',
      'unmet_authentication_requirements',
      'account_locked',
    ];
    for (const error of refusals) {
      it(`RFC 6749 §4.1.2.1 — ${error} is a refusal of the person, 401`, async () => {
        const { problem, taken } = await refusalOf(
          { error, state: 'state-1' },
          { vocabulary: { refusals: ['account_locked'] } },
        );
        expect(problem.code).to.equal(error);
        expect(problem.details).to.include({ refusal: 401, reportedIn: 'authorization response' });
        expect(taken).to.deep.equal(['state-1']);
      });
    }

    for (const error of [
      'server_error',
      'invalid_scope',
      'unauthorized_client',
      'account_locked',
    ]) {
      it(`RFC 6749 §4.1.2.1 — ${error} is a fault`, async () => {
        const { problem } = await refusalOf({ error, state: 'state-1' });
        expect(problem.code).to.equal(error);
        expect(problem.details.reportedIn).to.equal('authorization response');
        expect(problem.details.refusal).to.equal(undefined);
      });
    }

    it('reads access-denied, as some documentation spells it', async () => {
      const { problem } = await refusalOf({ error: 'access-denied', state: 'state-1' });
      expect(problem.code).to.equal('access_denied');
      expect(problem.details.refusal).to.equal(401);
    });

    for (const [title, error, quoted = error] of [
      ['empty', ''],
      ['free text', 'Something <b>bad</b>'],
      ['over-long', 'e'.repeat(65)],
      ['of two lines', 'access_denied\nX-Injected: 1', 'access_denied X-Injected: 1'],
    ] as const) {
      it(`takes an error that is ${title} for server_error, and quotes it`, async () => {
        const { problem } = await refusalOf({ error, state: 'state-1' });
        expect(problem.code).to.equal('server_error');
        expect(problem.details.refusal).to.equal(undefined);
        expect(problem.message).to.equal(error === '' ? 'server_error' : `server_error: ${quoted}`);
      });
    }

    it('RFC 6749 §10.12 — an error without a pending login is not believed', async () => {
      const { problem } = await refusalOf(
        { error: 'access_denied', error_description: 'call 555-0100', state: 'state-9' },
        { attempt: 'state_unknown' },
      );
      expect(problem.code).to.equal('state_unknown');
      expect(problem.message).not.to.include('555');
      expect(problem.details).to.deep.equal({ refusal: 403 });
    });

    const named = '; the answer also reported "server_error"';
    for (const [title, parameters, code, message] of [
      [
        'an unknown state',
        { error: 'server_error', state: 'state-9' },
        'state_unknown',
        `no pending login has this state${named}`,
      ],
      ['no state', { error: 'server_error' }, 'state_missing', `the response has no state${named}`],
      [
        'another issuer',
        { error: 'server_error', state: 'state-1', iss: 'https://evil.test/' },
        'issuer_mismatch',
        `iss is "https://evil.test/" (unproven), expected "https://acme.test/"${named}`,
      ],
      [
        'an unknown state, as free text',
        { error: 'Call 555-0100 now', state: 'state-9' },
        'state_unknown',
        'no pending login has this state',
      ],
      [
        'an unknown state, as the code',
        { error: 'SplxlOBeZQ', code: 'SplxlOBeZQ', state: 'state-9' },
        'state_unknown',
        'no pending login has this state',
      ],
    ] as const) {
      it(`is named, and not believed, beside ${title}`, async () => {
        const attempt = parameters.state === 'state-9' ? 'state_unknown' : ATTEMPT;
        const { problem } = await refusalOf(parameters, { attempt });
        expect(problem.code).to.equal(code);
        expect(problem.message).to.equal(message);
      });
    }

    it('RFC 9207 §2.4 — the issuer that came is quoted, cut, and without the code', async () => {
      const code = 'SplxlOBeZQQYbYS6WxSbIA';
      const iss = `https://evil.test/${code}/\r\n${'x'.repeat(200)}`;
      const { problem } = await refusalOf({ code, iss, state: 'state-1' }, { issuer: null });
      const came = `https://evil.test/[redacted]/ ${'x'.repeat(70)}`;
      expect(problem.message).to.equal(`iss is "${came}…" (unproven), none is known`);
    });

    describe('in words of its own', () => {
      const vocabulary: Vocabulary = {
        refusals: ['LOCKED_OUT', 'not_verified'],
        hints: { known_fault: 'x' },
        meanings: [
          { error: 'denied', says: /verify/, code: providerCode('not_verified'), hint: 'Verify.' },
          { error: 'access_denied', says: /service/, code: providerCode('no_service') },
          { says: /locked/, stages: ['token'], code: providerCode('never') },
        ],
      };
      const words = async (error: string, description?: string) => {
        const parameters = { error, error_description: description, state: 'state-1' };
        return (await refusalOf(parameters, { vocabulary })).problem;
      };

      it('a person is refused by words that mean it, with their remedy', async () => {
        const problem = await words('denied', 'please verify the address');
        expect(problem.code).to.equal('not_verified');
        expect(problem.message).to.equal('not_verified: please verify the address (denied)');
        expect(problem.details).to.include({ refusal: 401, hint: 'Verify.' });
      });

      it('words that mean a fault do not refuse the person, although their error does', async () => {
        const problem = await words('access_denied', 'no such service');
        expect(problem.code).to.equal('no_service');
        expect(problem.details.refusal).to.equal(undefined);
      });

      it('the same error without the words is what it was', async () => {
        const problem = await words('access_denied', 'locked');
        expect(problem.code).to.equal('access_denied');
        expect(problem.message).to.equal('access_denied: locked');
        expect(problem.details.refusal).to.equal(401);
      });

      for (const [error, code] of [
        ['locked-out', 'LOCKED_OUT'],
        ['Known_Fault', 'known_fault'],
        ['LOGIN_REQUIRED', 'login_required'],
        ['its-own', 'its-own'],
      ] as const) {
        it(`${error} is spelled as its table has it: ${code}`, async () => {
          expect((await words(error)).code).to.equal(code);
        });
      }
    });

    it('quotes error_description without control characters', async () => {
      const { problem } = await refusalOf({
        error: 'server_error',
        error_description: 'line one\r\nline two\u0000\u001b[31m\u2028end',
        state: 'state-1',
      });
      expect(problem.message).to.equal('server_error: line one line two [31m end');
    });

    it('quotes no code and no state', async () => {
      const { problem } = await refusalOf({
        error: 'server_error',
        error_description: 'code SplxlOBeZQQYbYS6WxSbIA and state-1',
        error_uri: 'https://acme.test/help?c=SplxlOBeZQQYbYS6WxSbIA&s=state-1',
        code: 'SplxlOBeZQQYbYS6WxSbIA',
        state: 'state-1',
      });
      expect(problem.message).to.equal('server_error: code [redacted] and [redacted]');
      expect(problem.details.uri).to.equal('https://acme.test/help?c=[redacted]&s=[redacted]');
    });

    it('names no code as the error either', async () => {
      const { problem } = await refusalOf({ error: 'SplxlO', code: 'SplxlO', state: 'state-1' });
      expect(`${problem.code} ${problem.message}`).not.to.include('SplxlO');
    });
  });

  describe('isAuthorizationResponse', () => {
    for (const name of ['code', 'error', 'state']) {
      it(`sees a response in anything with ${name}`, () => {
        expect(isAuthorizationResponse({ [name]: '' })).to.equal(true);
        expect(isAuthorizationResponse({ [name]: ['a'] })).to.equal(true);
      });
    }

    it('RFC 9207 §2 — sees none in iss alone, which is part of a response only beside another', () => {
      expect(isAuthorizationResponse({ iss: 'https://acme.test/' })).to.equal(false);
      expect(isAuthorizationResponse({ iss: 'https://acme.test/', state: 's' })).to.equal(true);
    });

    it('sees none in other parameters', () => {
      expect(isAuthorizationResponse({ returnTo: '/', scope: 'x' })).to.equal(false);
      expect(isAuthorizationResponse({ code: undefined })).to.equal(false);
    });
  });
});
