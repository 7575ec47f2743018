/** The verdicts of `npm run bench` on its figures, and the order of its turns. */
import { join } from 'node:path';
import { expect } from 'chai';
import type * as Statistics from '../bench/login/statistics';

const { quantile, rotate, spread, together, verdictOf } = require(
  join(__dirname, '../bench/dist/login/statistics.js'),
) as typeof Statistics;

describe('bench: the verdict on a goal', () => {
  const ratio = { median: 0.9, low: 0.8, high: 1 };

  it('a limit that both quartiles keep — is met', () => {
    expect(verdictOf(ratio, 1)).to.equal('met');
    expect(verdictOf(ratio, 0.8, true)).to.equal('met');
  });

  it('a limit that both quartiles break — is missed', () => {
    expect(verdictOf(ratio, 0.79)).to.equal('missed');
    expect(verdictOf(ratio, 1.01, true)).to.equal('missed');
  });

  it('a limit between the quartiles — is open, on whichever side the median is', () => {
    expect(verdictOf(ratio, 0.85)).to.equal('open');
    expect(verdictOf(ratio, 0.95)).to.equal('open');
    expect(verdictOf(ratio, 0.95, true)).to.equal('open');
  });

  it('several figures — are met together, and one that is missed settles it', () => {
    expect(together(['met', 'met'])).to.equal('met');
    expect(together(['met', 'open'])).to.equal('open');
    expect(together(['open', 'missed', 'met'])).to.equal('missed');
  });

  it('a login that failed — counts as one that never ends', () => {
    expect(quantile([1, 2, Infinity], 0.5)).to.equal(2);
    expect(quantile([1, Infinity, Infinity], 0.75)).to.equal(Infinity);
    expect(verdictOf(spread([1, 2, Infinity]), 3)).to.equal('open');
    expect(verdictOf(spread([5, Infinity, Infinity]), 3)).to.equal('missed');
  });

  it('no figure — is never met', () => {
    expect(verdictOf(spread([]), 3)).to.equal('open');
  });
});

describe('bench: turns', () => {
  it('each round — starts with the next one', () => {
    expect(rotate(['a', 'b', 'c'], 0)).to.deep.equal(['a', 'b', 'c']);
    expect(rotate(['a', 'b', 'c'], 4)).to.deep.equal(['b', 'c', 'a']);
  });
});
