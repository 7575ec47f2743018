/** The results of the cells: kept in results.json, and shown in docs/compatibility.md. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { format, resolveConfig } from 'prettier';
import { ROOT } from '../support/packages';
import type { Cell } from './cell';

export const RESULTS = join(ROOT, 'test', 'compat', 'results.json');
export const PAGE = join(ROOT, 'docs', 'compatibility.md');

export interface Row {
  id: string;
  /** Of the tool. Empty when it could not be installed. */
  version: string;
  /** The day, in UTC. */
  date: string;
  /** The version of the packages of this repository. */
  packages: string;
  works: string[];
  fails: { step: string; reason: string }[];
  /** Why the cell was not tried. */
  notTried?: string;
}

type Described = Pick<Cell, 'id' | 'group' | 'title' | 'remark'>;

export function readRows(): Row[] {
  return existsSync(RESULTS) ? (JSON.parse(readFileSync(RESULTS, 'utf8')) as Row[]) : [];
}

/** The rows with some of them replaced, in the order of the cells; a row without a cell goes. */
export const merge = (rows: readonly Row[], news: readonly Row[], cells: readonly Described[]) =>
  cells.flatMap(
    ({ id }) => news.find((row) => row.id === id) ?? rows.find((row) => row.id === id) ?? [],
  );

const cellText = (text: string) => text.replaceAll('|', '\\|').replace(/\s+/g, ' ');

function line({ title, remark = '' }: Described, row: Row): string {
  const works = row.notTried === undefined ? row.works.join(', ') : 'not tried';
  const fails = row.fails.map(({ step, reason }) => `${step}: ${reason}`).join('; ');
  const remarks = [row.notTried ?? '', remark].filter(Boolean).join('; ');
  const columns = [title, row.version, works, fails, remarks, row.date];
  return `| ${columns.map(cellText).join(' | ')} |`;
}

/** The page, as Markdown that is not formatted yet. */
export function pageOf(rows: readonly Row[], cells: readonly Described[]): string {
  const groups = [...new Set(cells.map(({ group }) => group))];
  const tables = groups.flatMap((group) => {
    const lines = cells
      .filter((cell) => cell.group === group)
      .flatMap((cell) => rows.filter(({ id }) => id === cell.id).map((row) => line(cell, row)));
    if (lines.length === 0) return [];
    const head = '| | Version | Works | Does not work | Remark | Tried |\n|-|-|-|-|-|-|';
    return [`## ${group}\n\n${head}\n${lines.join('\n')}\n`];
  });
  const packages = [...new Set(rows.map((row) => row.packages))].join(' and ');
  return `# Compatibility

<!-- Written by \`npm run test:compat\` from test/compat. -->

The packages work with these runtimes, compilers, test runners, bundlers and package managers. Each row was tried with
the tarballs of a release of version ${packages}, in a project outside the repository.

The program of each row starts the packed emulator, and logs in with Salesloft, SalesOS and Salesforce through Express
and Passport. It checks the ID Tokens and their signatures, keeps each pending login in an encrypted cookie, and refreshes
the tokens at the end. A row with other contents says so.

${tables.join('\n')}
## Try it again

\`\`\`sh
npm run test:compat                      # every row, in about half an hour
npm run test:compat -- node-22 typescript  # one row, and all rows that begin with typescript-
npm run test:compat -- --list            # the names of the rows
\`\`\`

The command needs the registry of npm, and Linux or macOS. It installs each tool into a temporary folder, which it removes at the end,
and replaces the rows that it has tried.
`;
}

/** Writes both files. */
export async function write(rows: readonly Row[], cells: readonly Described[]): Promise<void> {
  const texts = [
    [RESULTS, JSON.stringify(rows), 'json'],
    [PAGE, pageOf(rows, cells), 'markdown'],
  ] as const;
  for (const [file, text, parser] of texts) {
    const options = await resolveConfig(file);
    writeFileSync(file, await format(text, { ...options, parser }));
  }
}
