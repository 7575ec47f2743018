import { expect } from 'chai';
import type { TokenSet } from '../../dist/index';
import { isAlive, isFresh } from '../../dist/tokens/freshness';

const MINUTE = 60_000;
const NOW = Date.now();

/** Tokens of this age that live so long; for ever, when nobody says. */
function kept(age: number, lifetime?: number) {
  const since = NOW - age;
  const tokens: TokenSet = {
    accessToken: 'access',
    tokenType: 'Bearer',
    response: {},
    ...(lifetime !== undefined && { expiresAt: since + lifetime }),
  };
  return { tokens, since };
}

describe('freshness', () => {
  const { now } = Date;
  before(() => {
    Date.now = () => NOW;
  });
  after(() => {
    Date.now = now;
  });

  const fresh: [string, number, number | undefined, boolean][] = [
    ['an hour, until five minutes are left', 55 * MINUTE - 1, 60 * MINUTE, true],
    ['an hour, when five minutes are left', 55 * MINUTE, 60 * MINUTE, false],
    ['ten minutes, just before half of it', 5 * MINUTE - 1, 10 * MINUTE, true],
    ['ten minutes, at half of it', 5 * MINUTE, 10 * MINUTE, false],
    ['a minute, just before half of it', 30_000 - 1, MINUTE, true],
    ['a minute, at half of it', 30_000, MINUTE, false],
    ['no time at all', 0, 0, false],
    ['less than no time', 0, -1, false],
    ['for ever', 1e12, undefined, true],
    ['an hour, with a clock set back by five minutes', -5 * MINUTE, 60 * MINUTE, true],
    ['an hour, with a clock set back by more', -5 * MINUTE - 1, 60 * MINUTE, false],
    ['for ever, with a clock set back by more', -5 * MINUTE - 1, undefined, false],
  ];
  for (const [title, age, lifetime, expected] of fresh) {
    it(`RFC 6749 §5.1 — ${expected ? 'keeps' : 'replaces'} a token that lives ${title}`, () => {
      expect(isFresh(kept(age, lifetime))).to.equal(expected);
    });
  }

  const alive: [string, number, number | undefined, boolean][] = [
    ['an hour, until ten seconds are left', 60 * MINUTE - 10_001, 60 * MINUTE, true],
    ['an hour, when ten seconds are left', 60 * MINUTE - 10_000, 60 * MINUTE, false],
    ['ten seconds, just before the last', 8999, 10_000, true],
    ['ten seconds, at the last', 9000, 10_000, false],
    ['no time at all', 0, 0, false],
    ['for ever', 1e12, undefined, true],
    [
      'an hour, with a clock set back by more than five minutes',
      -5 * MINUTE - 1,
      60 * MINUTE,
      false,
    ],
  ];
  for (const [title, age, lifetime, expected] of alive) {
    it(`RFC 6749 §5.1 — ${expected ? 'still uses' : 'no longer uses'} a token that lives ${title}`, () => {
      expect(isAlive(kept(age, lifetime))).to.equal(expected);
    });
  }

  const refused: [string, number, number | undefined, boolean][] = [
    ['five seconds old', 5000, 60 * MINUTE, true],
    ['older', 5001, 60 * MINUTE, false],
    ['half of its eight seconds old', 4000, 8000, false],
    ['a moment old, of eight seconds', 3999, 8000, true],
    ['older, and lives for ever', 5001, undefined, false],
    ['of a clock that was ahead by a moment', -5000, 60 * MINUTE, true],
    ['of a clock that was ahead by more', -5001, 60 * MINUTE, false],
  ];
  for (const [title, age, lifetime, expected] of refused) {
    it(`RFC 6750 §3.1 — ${expected ? 'keeps' : 'replaces'} a refused token that is ${title}`, () => {
      expect(isFresh(kept(age, lifetime), 'access')).to.equal(expected);
      expect(isAlive(kept(age, lifetime), 'access')).to.equal(false);
    });
  }

  it('RFC 6750 §3.1 — asks nothing more of a token than was refused', () => {
    expect(isFresh(kept(10_000, 60 * MINUTE), 'another')).to.equal(true);
    expect(isAlive(kept(10_000, 60 * MINUTE), 'another')).to.equal(true);
  });
});
