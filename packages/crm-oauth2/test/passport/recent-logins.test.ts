import { expect } from 'chai';
import { RecentLogins } from '../../dist/passport/recent-logins';

describe('completed logins', () => {
  const realNow = Date.now;
  afterEach(() => {
    Date.now = realNow;
  });

  it('are forgotten at the very moment they would have expired', () => {
    const completed = new RecentLogins();
    const until = Date.now() + 60_000;
    completed.add('a', until);
    Date.now = () => until - 1;
    expect(completed.has('a')).to.equal(true);
    Date.now = () => until;
    expect(completed.has('a')).to.equal(false);
  });

  it('are dropped, not only hidden, once a generation of ten minutes has passed', () => {
    const completed = new RecentLogins();
    const now = Date.now();
    const states = ['first', 'last', 'second', 'third'];
    const known = () => {
      // At an earlier time, whatever is kept would be known.
      Date.now = () => now;
      return states.filter((state) => completed.has(state));
    };
    const at = (minutes: number, state: string) => {
      Date.now = () => now + minutes * 60_000;
      completed.add(state, now + 3_600_000);
    };
    at(0, 'first');
    at(9.999, 'last');
    at(10, 'second');
    expect(known()).to.deep.equal(['first', 'last', 'second']);
    at(19.999, 'again');
    expect(known()).to.deep.equal(['first', 'last', 'second']);
    at(20, 'third');
    expect(known()).to.deep.equal(['second', 'third']);
  });

  it('are known until they would have expired', () => {
    const completed = new RecentLogins();
    completed.add('a', Date.now() + 60_000);
    completed.add('b', Date.now() - 1);
    expect(['a', 'b', 'c', '__proto__'].map((state) => completed.has(state))).to.deep.equal([
      true,
      false,
      false,
      false,
    ]);
  });

  it('are ten thousand at least, and twice as many at most', () => {
    const completed = new RecentLogins();
    const until = Date.now() + 60_000;
    const add = (from: number, to: number) => {
      for (let i = from; i < to; i += 1) completed.add(`state-${i}`, until);
    };
    add(0, 20_000);
    expect(['state-0', 'state-19999'].map((state) => completed.has(state))).to.deep.equal([
      true,
      true,
    ]);
    add(20_000, 20_001);
    expect(
      ['state-0', 'state-9999', 'state-10000', 'state-20000'].map((state) => completed.has(state)),
    ).to.deep.equal([false, false, true, true]);
  });
});
