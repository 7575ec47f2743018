import { expect } from 'chai';
import { isGoodEnough, nextStep, pauseLeft } from '../../dist/tokens/next-step';
import type { NextStep, Wanted } from '../../dist/tokens/next-step';
import type { Failure, TokenRecord } from '../../dist/tokens/token-record';

const NOW = 1_750_000_000_000;
const HOUR = 3_600_000;

/** The ages at which an hour's token is fresh, then usable, then of no use. */
const AGES = { fresh: HOUR / 2, usable: HOUR - 200_000, ended: HOUR };

type Age = keyof typeof AGES;
type Note = TokenRecord['refresh'];

function recordOf(age: Age, changes: Partial<TokenRecord> = {}): TokenRecord {
  const since = NOW - AGES[age];
  const tokens = {
    accessToken: 'access',
    refreshToken: 'refresh',
    tokenType: 'Bearer',
    expiresAt: since + HOUR,
    response: {},
  };
  return { tokens, since, signedInAt: since, ...changes };
}

function withoutRefreshToken(age: Age): TokenRecord {
  const { tokens, ...record } = recordOf(age);
  const { refreshToken: _, ...rest } = tokens;
  return { ...record, tokens: rest };
}

const rejected = 'access';

/** A failure that was noted so many milliseconds ago, and lasts a minute. */
const failed = (age: number): Failure => ({
  code: 'invalid_grant',
  message: 'revoked',
  at: NOW - age,
  pause: 60_000,
});

/** The step before the lock, after waiting for it, under it, and under it after waiting. */
type Steps = [NextStep, NextStep, NextStep, NextStep];

describe('next step', () => {
  const locked = (record: TokenRecord, wanted: Wanted = {}, hasWaited = false) =>
    nextStep(record, wanted, hasWaited, NOW);
  const unlocked = (record: TokenRecord, wanted: Wanted, hasWaited: boolean) =>
    isGoodEnough(record, wanted, hasWaited, NOW) ? 'use' : 'wait';
  const steps = (record: TokenRecord, wanted: Wanted = {}) =>
    [unlocked, locked].flatMap((step) => [false, true].map((has) => step(record, wanted, has)));

  /** A refusal is noted with its time. Any other note allows the next refresh at once. */
  const noted = (refresh: Note) => ({
    ...(refresh && { refresh }),
    ...(refresh === 'refused' && { failure: failed(0) }),
  });

  const table: [Age, Note, Steps][] = [
    ['fresh', undefined, ['use', 'use', 'use', 'use']],
    ['fresh', 'begun', ['use', 'use', 'use', 'use']],
    ['fresh', 'failed', ['use', 'use', 'use', 'use']],
    ['fresh', 'unknown', ['use', 'use', 'use', 'use']],
    ['fresh', 'refused', ['use', 'use', 'use', 'use']],
    ['usable', undefined, ['wait', 'use', 'refresh', 'refresh']],
    ['usable', 'begun', ['wait', 'use', 'use to the end', 'use to the end']],
    ['usable', 'failed', ['use', 'use', 'use', 'use']],
    ['usable', 'unknown', ['use', 'use', 'use', 'use']],
    ['usable', 'refused', ['use', 'use', 'use', 'use']],
    ['ended', undefined, ['wait', 'wait', 'refresh', 'refresh']],
    ['ended', 'begun', ['wait', 'wait', 'wait', 'refresh']],
    ['ended', 'failed', ['wait', 'wait', 'refresh', 'refresh']],
    ['ended', 'unknown', ['wait', 'wait', 'refresh', 'refresh']],
    ['ended', 'refused', ['wait', 'wait', 'sign in', 'sign in']],
  ];
  for (const [age, refresh, expected] of table) {
    it(`RFC 9700 §4.14.2 — ${age} tokens, last refresh ${refresh ?? 'none'}: ${expected.join(', ')}`, () => {
      const record = recordOf(age, noted(refresh));
      expect(steps(record)).to.deep.equal(expected);
    });
  }

  it('RFC 9700 §4.14.2 — without the lock, a usable token that is not refreshed yet needs a wait', () => {
    const answers = [undefined, false, true].map((hasWaited) =>
      isGoodEnough(recordOf('usable'), {}, hasWaited, NOW),
    );
    expect(answers).to.deep.equal([false, false, true]);
  });

  const single: [Age, Steps][] = [
    ['fresh', ['use', 'use', 'use', 'use']],
    ['usable', ['use', 'use', 'use', 'use']],
    ['ended', ['wait', 'wait', 'sign in', 'sign in']],
  ];
  for (const [age, expected] of single) {
    it(`RFC 6749 §5.1 — ${age} tokens without a refresh token: ${expected.join(', ')}`, () => {
      expect(steps(withoutRefreshToken(age))).to.deep.equal(expected);
    });
  }

  const refusedByApi: [Note, Steps][] = [
    [undefined, ['wait', 'wait', 'refresh', 'refresh']],
    ['begun', ['wait', 'wait', 'wait', 'refresh']],
    ['failed', ['wait', 'wait', 'refresh', 'refresh']],
    ['unknown', ['wait', 'wait', 'refresh', 'refresh']],
    ['refused', ['wait', 'wait', 'sign in', 'sign in']],
  ];
  for (const [refresh, expected] of refusedByApi) {
    it(`RFC 6750 §3.1 — a token that the API has refused, last refresh ${refresh ?? 'none'}: ${expected.join(', ')}`, () => {
      const record = recordOf('fresh', noted(refresh));
      expect(steps(record, { rejected })).to.deep.equal(expected);
    });
  }

  it('RFC 6750 §3.1 — a refused token that has only just come is used', () => {
    const record = recordOf('fresh', { since: NOW - 1000 });
    expect(steps(record, { rejected })).to.deep.equal(['use', 'use', 'use', 'use']);
  });

  const forced: [Age, Note, Steps][] = [
    ['fresh', undefined, ['wait', 'wait', 'refresh', 'refresh']],
    ['fresh', 'begun', ['wait', 'wait', 'use to the end', 'use to the end']],
    ['usable', 'failed', ['wait', 'wait', 'refresh', 'refresh']],
    ['usable', 'unknown', ['wait', 'wait', 'use', 'use']],
    ['usable', 'refused', ['wait', 'wait', 'sign in', 'sign in']],
    ['ended', 'unknown', ['wait', 'wait', 'refresh', 'refresh']],
  ];
  for (const [age, refresh, expected] of forced) {
    it(`RFC 6749 §6 — newer tokens than the ${age} ones, last refresh ${refresh ?? 'none'}: ${expected.join(', ')}`, () => {
      const record = recordOf(age, noted(refresh));
      expect(steps(record, { newerThan: record.since })).to.deep.equal(expected);
    });
  }

  it('RFC 6749 §6 — newer tokens than the wanted time are used only when they are fresh', () => {
    for (const [age, expected] of [
      ['fresh', 'use'],
      ['usable', 'refresh'],
    ] as const) {
      const record = recordOf(age);
      expect(locked(record, { newerThan: record.since - 1 })).to.equal(expected);
    }
  });

  for (const [title, age, expected] of [
    ['just under a minute ago', 59_999, 'sign in'],
    ['a minute ago', 60_000, 'refresh'],
    ['by a clock that is just under a minute ahead', -59_999, 'sign in'],
    ['by a clock that is a minute ahead', -60_000, 'refresh'],
  ] as const) {
    it(`RFC 6749 §5.2 — refused ${title}: ${expected}`, () => {
      const record = recordOf('ended', { refresh: 'refused', failure: failed(age) });
      expect(locked(record)).to.equal(expected);
      const other = recordOf('ended', { refresh: 'unknown', failure: failed(age) });
      expect(locked(other)).to.equal(expected === 'refresh' ? 'refresh' : 'fail');
    });
  }

  const paused: [Age, Note, Steps][] = [
    ['fresh', 'unknown', ['use', 'use', 'use', 'use']],
    ['usable', 'unknown', ['use', 'use', 'use', 'use']],
    ['usable', 'failed', ['use', 'use', 'use', 'use']],
    ['ended', 'unknown', ['wait', 'wait', 'fail', 'fail']],
    ['ended', 'failed', ['wait', 'wait', 'fail', 'fail']],
    ['ended', 'begun', ['wait', 'wait', 'wait', 'refresh']],
  ];
  for (const [age, refresh, expected] of paused) {
    it(`RFC 9110 §10.2.3 — ${age} tokens, last refresh ${refresh ?? 'none'}, the next one not yet: ${expected.join(', ')}`, () => {
      const record = recordOf(age, { ...(refresh && { refresh }), failure: failed(0) });
      expect(steps(record)).to.deep.equal(expected);
    });
  }

  it('RFC 9110 §10.2.3 — says how long the next refresh waits', () => {
    expect(pauseLeft(recordOf('ended'), NOW)).to.equal(0);
    const left = (age: number, refresh: Note = 'unknown') =>
      pauseLeft(recordOf('ended', { ...(refresh && { refresh }), failure: failed(age) }), NOW);
    expect([0, 20_000, -20_000, 60_000, 90_000].map((age) => left(age))).to.deep.equal([
      60_000, 40_000, 40_000, 0, 0,
    ]);
    expect(left(0, 'begun')).to.equal(0);
  });

  it('RFC 6749 §5.2 — refused at an unknown time: refresh', () => {
    expect(locked(recordOf('ended', { refresh: 'refused' }))).to.equal('refresh');
  });
});
