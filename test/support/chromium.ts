/** The browser of this machine, for tests that need one. */
import { existsSync } from 'node:fs';

export const CHROMIUM = process.env.CHROMIUM_PATH ?? '/usr/bin/chromium';

/** Skips a test or a suite if there is no browser. In CI it fails, since a skipped test would hide a failure. */
export function needChromium(context: Mocha.Context): void {
  if (existsSync(CHROMIUM)) return;
  const reason = `There is no browser at ${CHROMIUM}. Install chromium, or set CHROMIUM_PATH.`;
  if (process.env.CI) throw new Error(reason);
  console.log(`    Browser tests are skipped. ${reason}`);
  context.skip();
}
