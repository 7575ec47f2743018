/** Figures as text: tables of Markdown, ranges, and a section that is kept beside the program that measures it. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { format as formatWith, resolveConfig } from 'prettier';
import type { Spread } from './login/statistics';
import { ROOT } from './places';

export const PAGE = join(ROOT, 'docs', 'performance.md');

export const table = (head: readonly string[], rows: readonly (string | number)[][]): string =>
  [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');

export const whole = (value: number): string => value.toFixed(0);

export const grouped = (value: number): string => value.toLocaleString('en').replaceAll(',', ' ');

export const range = ({ median, low, high }: Spread, digits = 2): string =>
  `${median.toFixed(digits)} (${low.toFixed(digits)}–${high.toFixed(digits)})`;

export async function format(text: string): Promise<string> {
  const options = await resolveConfig(PAGE);
  return await formatWith(text, { ...options, parser: 'markdown' });
}

/** A section as it was last measured; nothing when it never was. */
export const latest = (file: string): string =>
  existsSync(file) ? readFileSync(file, 'utf8') : '';

/** Keeps a section in its file, and replaces it in the page, or puts it before the limits. */
export function writeSection(title: string, text: string, file: string): void {
  writeFileSync(file, text);
  const old = new RegExp(`^## ${title}\\n.*?(?=^## )`, 'ms');
  const page = readFileSync(PAGE, 'utf8').replace(old, '');
  writeFileSync(
    PAGE,
    page.replace(/^## Limits$/m, () => `${text}\n## Limits`),
  );
}
