import { expect } from 'chai';
import { hasSameTokens, newRecord, parseRecord, serialize } from '../../dist/tokens/token-record';
import type { TokenRecord } from '../../dist/tokens/token-record';
import { thrown } from '../support';

const RECORD: TokenRecord = {
  tokens: {
    accessToken: 'access-1',
    refreshToken: 'refresh-1',
    tokenType: 'Bearer',
    expiresAt: 2_000_000,
    scope: 'api',
    subject: 'zoe',
    response: { instance_url: 'https://zoe.acme.test' },
  },
  since: 1_000_000,
  signedInAt: 500_000,
  refresh: 'begun',
};
/** Objects in objects, so many levels. */
function nested(levels: number): object {
  return levels === 1 ? {} : { inner: nested(levels - 1) };
}

const MINIMAL = { accessToken: 'a', response: {}, since: 1, signedInAt: 1 };

describe('token record', () => {
  it('RFC 6749 §5.1 — reads a written record as it was, frozen', () => {
    const record = parseRecord(serialize(RECORD));
    expect(record).to.deep.equal(RECORD);
    expect(record.tokens).to.be.frozen;
    expect(record.tokens.response).to.be.frozen;
  });

  it('is frozen with all that it holds, because callers share it', () => {
    const tokens = { ...RECORD.tokens, response: { urls: { rest: ['https://zoe.acme.test'] } } };
    const environment = { zone: 'eu' };
    const failure = { code: 'rate_limited', message: 'later', at: 1, pause: 1 } as const;
    const given = { ...RECORD, tokens: { ...tokens, environment }, failure };
    const record = parseRecord(serialize(given));
    const { urls } = record.tokens.response as { urls: { rest: string[] } };
    expect(record).to.deep.equal(given);
    for (const part of [record, record.tokens.environment, record.failure, urls, urls.rest]) {
      expect(part).to.be.frozen;
    }
  });

  for (const refresh of ['begun', 'failed', 'unknown'] as const) {
    it(`RFC 9700 §4.14.2 — remembers the note ${refresh}`, () => {
      expect(parseRecord(serialize({ ...RECORD, refresh })).refresh).to.equal(refresh);
    });
  }

  const failure = {
    code: 'invalid_grant',
    message: 'revoked',
    status: 400,
    at: 7,
    pause: 9,
  } as const;
  it('RFC 6749 §5.2 — remembers why a refresh failed', () => {
    const { status: _, ...withoutStatus } = failure;
    for (const kept of [failure, withoutStatus, { ...failure, hint: 'Ask.' }]) {
      const record = { ...RECORD, refresh: 'refused', failure: kept } as const;
      expect(parseRecord(serialize(record))).to.deep.equal(record);
    }
  });

  for (const wrong of [
    'revoked',
    { ...failure, code: 5 },
    { ...failure, message: '' },
    { ...failure, hint: 5 },
    { ...failure, status: '400' },
    { ...failure, at: undefined },
    { ...failure, pause: 'long' },
  ]) {
    it(`RFC 6749 §5.2 — leaves out a failure that is ${JSON.stringify(wrong)}`, () => {
      const written = JSON.stringify({ ...MINIMAL, refresh: 'refused', failure: wrong });
      expect(parseRecord(written))
        .to.include({ refresh: 'refused' })
        .and.not.have.property('failure');
    });
  }

  it('RFC 6750 §3.1 — remembers how many tokens the API refused as new', () => {
    expect(parseRecord(serialize({ ...RECORD, refusals: 2 }))).to.have.property('refusals', 2);
    const wrong = parseRecord(JSON.stringify({ ...MINIMAL, refusals: '2' }));
    expect(wrong).not.to.have.property('refusals');
  });

  it('RFC 6749 §5.2 — reads a refusal that an earlier version wrote', () => {
    const record = parseRecord(JSON.stringify({ ...MINIMAL, refresh: 'refused', notedAt: 5 }));
    expect(record).to.include({ refresh: 'refused' }).and.not.have.property('failure');
  });

  it('RFC 6749 §5.1 — adds no field', () => {
    const record = parseRecord(JSON.stringify({ ...MINIMAL, refresh: 'other' }));
    expect(record).to.deep.equal({
      tokens: { accessToken: 'a', tokenType: 'Bearer', response: {} },
      since: 1,
      signedInAt: 1,
    });
    expect(record.tokens).not.to.have.property('refreshToken');
  });

  it('RFC 9700 §4.14 — writes each secret once, and no ID Token', () => {
    const response = { access_token: 'access-1', refresh_token: 'refresh-1', id_token: 'e.y.J' };
    const written = serialize({
      ...RECORD,
      tokens: { ...RECORD.tokens, idToken: 'e.y.J', response: { ...response, id: 'x' } },
    });
    expect(written.split('access-1')).to.have.length(2);
    expect(written.split('refresh-1')).to.have.length(2);
    expect(written).not.to.include('e.y.J');
    expect(parseRecord(written).tokens.response).to.deep.equal({ id: 'x' });
  });

  it('RFC 6749 §5.1 — begins with the tokens of a login, as they would be read again', () => {
    const before = Date.now();
    const record = newRecord({
      accessToken: 'a',
      refreshToken: 'r',
      scope: null,
      idToken: 'e.y.J',
    });
    expect(record.tokens).to.deep.equal({
      accessToken: 'a',
      refreshToken: 'r',
      tokenType: 'Bearer',
      response: {},
    });
    expect(record.since).to.be.within(before, Date.now());
    expect(record.signedInAt).to.equal(record.since);
    expect(newRecord({ ...RECORD.tokens }).tokens).to.deep.equal(RECORD.tokens);
    expect(() => newRecord({ accessToken: '' })).to.throw(TypeError, /^userTokens: tokens to save/);
  });

  it('RFC 6749 §6 — is told from another by both of its tokens', () => {
    const withTokens = (changes: object) => ({
      ...RECORD,
      tokens: { ...RECORD.tokens, ...changes },
    });
    const copy = withTokens({ scope: 'other' });
    expect(hasSameTokens(RECORD, copy)).to.equal(true);
    expect(hasSameTokens(RECORD, withTokens({ accessToken: 'access-2' }))).to.equal(false);
    expect(hasSameTokens(RECORD, withTokens({ refreshToken: 'refresh-2' }))).to.equal(false);
    expect(hasSameTokens(RECORD, withTokens({ refreshToken: undefined }))).to.equal(false);
  });

  it('RFC 9700 §4.4 — keeps the environment of the tokens, and adds none', () => {
    const environment = { region: 'eu', zone: 'z' };
    const tokens = { ...RECORD.tokens, environment };
    expect(parseRecord(serialize({ ...RECORD, tokens })).tokens.environment).to.deep.equal(
      environment,
    );
    expect(newRecord({ accessToken: 'a', environment }).tokens.environment).to.deep.equal(
      environment,
    );
    expect(parseRecord(serialize(RECORD)).tokens).not.to.have.property('environment');
    expect(newRecord({ accessToken: 'a', environment: null }).tokens).not.to.have.property(
      'environment',
    );
  });

  it('RP-Initiated Logout §2 — keeps the session of the person at the provider', () => {
    const tokens = { ...RECORD.tokens, sid: 'session-1' };
    expect(parseRecord(serialize({ ...RECORD, tokens })).tokens.sid).to.equal('session-1');
    expect(parseRecord(serialize(RECORD)).tokens).not.to.have.property('sid');
  });

  it('RFC 9700 §4.4 — refuses to save an environment that could not be read again', () => {
    for (const environment of ['eu', ['eu'], { region: 7 }, { region: { eu: '' } }]) {
      const save = () => newRecord({ accessToken: 'a', environment: environment as never });
      expect(save).to.throw(TypeError, /^userTokens: tokens to save/);
    }
  });

  const garbage: [string, unknown][] = [
    ['an environment of another kind', { ...MINIMAL, environment: 'eu' }],
    ['an environment that is null', { ...MINIMAL, environment: null }],
    ['an environment that is a list', { ...MINIMAL, environment: ['eu'] }],
    ['a choice of another kind', { ...MINIMAL, environment: { zone: 'z', region: 7 } }],
    ['a text', 'hello'],
    ['null', null],
    ['a list', []],
    ['no access token', { ...MINIMAL, accessToken: undefined }],
    ['an empty access token', { ...MINIMAL, accessToken: '' }],
    ['an access token of another kind', { ...MINIMAL, accessToken: 5 }],
    ['a refresh token of another kind', { ...MINIMAL, refreshToken: 5 }],
    ['a scope of another kind', { ...MINIMAL, scope: ['a'] }],
    ['a subject of another kind', { ...MINIMAL, subject: null }],
    ['a session of another kind', { ...MINIMAL, sid: 7 }],
    ['no response', { ...MINIMAL, response: undefined }],
    ['a response of another kind', { ...MINIMAL, response: 'x' }],
    ['a response that nests too deep', { ...MINIMAL, response: nested(101) }],
    ['an unknown field that nests too deep', { ...MINIMAL, more: nested(101) }],
    ['no time', { ...MINIMAL, since: undefined }],
    ['a time in words', { ...MINIMAL, since: '2026' }],
    ['no time of the login', { ...MINIMAL, signedInAt: undefined }],
    ['an end in words', { ...MINIMAL, expiresAt: 'soon' }],
    ['an end that is null', { ...MINIMAL, expiresAt: null }],
  ];
  for (const [title, value] of garbage) {
    it(`store_corrupt — ${title}`, () => {
      expect(thrown(() => parseRecord(JSON.stringify(value)))).to.include({
        code: 'store_corrupt',
        message: 'the stored value is not a record of tokens',
      });
    });
  }

  it('reads a response that nests as deep as a token response may', () => {
    const record = { ...MINIMAL, response: nested(100) };
    expect(parseRecord(JSON.stringify(record)).tokens.response).to.deep.equal(nested(100));
  });

  it('store_corrupt — a time that is not finite', () => {
    const infinite = JSON.stringify({ ...MINIMAL, since: 2 }).replace('"since":2', '"since":1e999');
    expect(thrown(() => parseRecord(infinite))).to.include({ code: 'store_corrupt' });
  });

  it('store_corrupt — a text that is not JSON, which the message does not quote', () => {
    for (const value of ['', '{', '{"accessToken":"access-1"', 'access-1']) {
      const problem = thrown(() => parseRecord(value));
      expect(problem.code).to.equal('store_corrupt');
      expect(`${problem.stack}${problem.message}`).not.to.include('access-1');
      expect(problem).not.to.have.property('cause');
    }
  });
});
