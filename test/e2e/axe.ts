/** axe-core in the page that a browser shows, in light and dark, on a phone and on a desk. */
import { readFileSync } from 'node:fs';
import type { AxeResults } from 'axe-core';
import type { Page } from 'playwright-core';

export const LOOKS = [
  { colorScheme: 'light', width: 1440, height: 900 },
  { colorScheme: 'dark', width: 1440, height: 900 },
  { colorScheme: 'dark', width: 390, height: 844 },
  { colorScheme: 'light', width: 390, height: 844 },
] as const;

const SOURCE = readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8');

/** Every rule that is not an experiment, and the size of targets (WCAG 2.2), which is off at first. */
const RUN = `axe.run({
  resultTypes: ['violations'],
  rules: { 'target-size': { enabled: true } },
  preload: false,
})`;

/** Looks at the page that is open in each way; answers a line for each element that breaks a rule. */
export async function axeProblems(page: Page): Promise<string[]> {
  const lines: string[] = [];
  for (const { colorScheme, width, height } of LOOKS) {
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
    await page.setViewportSize({ width, height });
    // The policy of the page does not hold for what a test runs in it.
    await page.evaluate(`window.axe || (() => { ${SOURCE} })()`);
    const { violations } = await page.evaluate<AxeResults>(RUN);
    for (const { id, nodes } of violations) {
      for (const { html } of nodes) {
        lines.push(`${colorScheme} ${width}: ${id}: ${html.replace(/\s+/g, ' ').slice(0, 120)}`);
      }
    }
  }
  return lines;
}
