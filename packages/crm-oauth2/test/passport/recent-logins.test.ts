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

  for (const [title, later] of [
    ['at the very moment', 0],
    ['some time after', 1000],
  ] as const) {
    it(`are dropped, not only hidden, when another comes ${title} they expired`, () => {
      const completed = new RecentLogins();
      const now = Date.now();
      completed.add('expired', now + 60_000);
      completed.add('alive', now + 120_000);
      Date.now = () => now + 60_000 + later;
      completed.add('new', now + 120_000);
      // At an earlier time, whatever was kept would be known.
      Date.now = () => now;
      expect(['expired', 'alive', 'new'].map((state) => completed.has(state))).to.deep.equal([
        false,
        true,
        true,
      ]);
    });
  }

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

  it('are at most ten thousand; the oldest make room', () => {
    const completed = new RecentLogins();
    const until = Date.now() + 60_000;
    for (let i = 0; i <= 10_000; i += 1) completed.add(`state-${i}`, until);
    expect(completed.has('state-0')).to.equal(false);
    expect(completed.has('state-1')).to.equal(true);
    expect(completed.has('state-10000')).to.equal(true);
  });
});
