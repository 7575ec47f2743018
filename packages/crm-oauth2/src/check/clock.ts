/** The clock of this machine, compared with those of the hosts. */
import type { ClockReading } from './asking';
import { findingsOf } from './finding';
import type { Finding } from './finding';

const { right, wrong, unknown } = findingsOf('clock');

/** `Date` has whole seconds. */
const PRECISION_MS = 1000;

const MINUTE_MS = 60_000;

/**
 * The smallest difference counts: a wrong clock here is wrong for every host.
 *
 * @param toleranceSeconds the `clockTolerance` of a client
 */
export function checkClock(clocks: readonly ClockReading[], toleranceSeconds: number): Finding {
  const [nearest] = clocks.toSorted((a, b) => Math.abs(a.aheadMs) - Math.abs(b.aheadMs));
  if (nearest === undefined) return unknown('No host told its time.');
  const { host, aheadMs } = nearest;
  const off = Math.abs(aheadMs);
  if (off <= toleranceSeconds * 1000 + PRECISION_MS) {
    return right('The clock of this machine is right.', { host });
  }
  const side = aheadMs > 0 ? 'behind' : 'ahead of';
  const words = `The clock of this machine is ${inWords(off)} ${side} that of ${host}.`;
  const mend = `Set the clock by NTP. ID Tokens are refused when the clocks differ by more than ${toleranceSeconds} seconds, and tokens seem to end too late or too early.`;
  return wrong(words, { host, mend });
}

function inWords(milliseconds: number): string {
  const minutes = Math.round(milliseconds / MINUTE_MS);
  return minutes < 2 ? `${Math.round(milliseconds / 1000)} seconds` : `${minutes} minutes`;
}
