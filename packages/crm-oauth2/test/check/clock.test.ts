/** The clock of this machine against those of the hosts. */
import { expect } from 'chai';
import { checkClock } from '../../dist/check/clock';

const MINUTE_MS = 60_000;

const at = (aheadMs: number, host = 'id.acme.test') => ({ host, aheadMs });

describe('clock of a set-up', () => {
  for (const aheadMs of [0, 59_000, -61_000]) {
    it(`RFC 9110 §6.6.1 — ${aheadMs} ms are within the tolerance`, () => {
      expect(checkClock([at(aheadMs)], 60)).to.deep.equal({
        part: 'clock',
        verdict: 'right',
        says: 'The clock of this machine is right.',
        host: 'id.acme.test',
      });
    });
  }

  for (const [aheadMs, words] of [
    [10 * MINUTE_MS, '10 minutes behind'],
    [-10 * MINUTE_MS, '10 minutes ahead of'],
    [80_000, '80 seconds behind'],
  ] as const) {
    it(`RFC 9110 §6.6.1 — tells that it is ${words} that of the host`, () => {
      const finding = checkClock([at(aheadMs)], 60);
      expect(finding).to.include({
        verdict: 'wrong',
        says: `The clock of this machine is ${words} that of id.acme.test.`,
        host: 'id.acme.test',
      });
      expect(finding.mend).to.match(/^Set the clock by NTP\..* more than 60 seconds/);
    });
  }

  it('several hosts — believes the nearest', () => {
    const clocks = [at(-10 * MINUTE_MS, 'old.test'), at(20, 'right.test'), at(MINUTE_MS * 3)];
    expect(checkClock(clocks, 60)).to.include({ verdict: 'right', host: 'right.test' });
  });

  it('no host — says that it is not known', () => {
    expect(checkClock([], 60)).to.include({ verdict: 'unknown', says: 'No host told its time.' });
  });
});
