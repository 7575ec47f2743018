/** The results of the cells: kept in results.json, and shown in docs/compatibility.md. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { format, resolveConfig } from 'prettier';
import { ROOT } from '../support/packages';
import type { Cell } from './cell';

export const RESULTS = join(ROOT, 'test', 'compat', 'results.json');
export const PAGE = join(ROOT, 'docs', 'compatibility.md');

/** By group: what each of its rows has in common. */
const ABOUT: Readonly<Record<string, string>> = {
  TypeScript:
    'The program is compiled with `strict` and `skipLibCheck: false`, in each form of `module`, and the output logs in. `node16` and `nodenext` have both kinds of module.',
  Bundlers:
    'The application and its packages become one file. It runs in a folder where the emulator alone is installed.',
};

export interface Row {
  id: string;
  /** Of the tool. Empty when it could not be installed. */
  version: string;
  /** The day, in UTC. */
  date: string;
  /** The version of the packages of this repository. */
  packages: string;
  /** The version of the Node that runs the tool, unless the cell names another one. */
  node: string;
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

/** The cells of a row, by the heading of their column. */
function columnsOf({ title, remark = '' }: Described, row: Row): Record<string, string> {
  return {
    '': title,
    Version: row.version,
    Works: row.notTried === undefined ? row.works.join(', ') : 'not tried',
    'Does not work': row.fails.map(({ step, reason }) => `${step}: ${reason}`).join('; '),
    Remark: [row.notTried ?? '', remark].filter(Boolean).join('; '),
    Tried: row.date,
  };
}

/** A table without the columns that are empty in each row. */
function table(rows: readonly Record<string, string>[]): string {
  const heads = Object.keys(rows[0] ?? {}).filter((head) => rows.some((row) => row[head] !== ''));
  const line = (texts: readonly string[]) => `| ${texts.map(cellText).join(' | ')} |`;
  return [
    line(heads),
    `|${'-|'.repeat(heads.length)}`,
    ...rows.map((row) => line(heads.map((head) => row[head] ?? ''))),
  ].join('\n');
}

/** The page, as Markdown that is not formatted yet. */
export function pageOf(rows: readonly Row[], cells: readonly Described[]): string {
  const groups = [...new Set(cells.map(({ group }) => group))];
  const tables = groups.flatMap((group) => {
    const shown = cells
      .filter((cell) => cell.group === group)
      .flatMap((cell) =>
        rows.filter(({ id }) => id === cell.id).map((row) => columnsOf(cell, row)),
      );
    const about = ABOUT[group];
    return shown.length === 0
      ? []
      : [[`## ${group}`, ...(about === undefined ? [] : [about]), table(shown)].join('\n\n')];
  });
  const versions = (of: (row: Row) => string) => [...new Set(rows.map(of))].join(' and ');
  const packages = versions((row) => row.packages);
  const node = versions((row) => row.node);
  return `# Compatibility

<!-- Written by \`npm run test:compat\` from test/compat. -->

These runtimes, compilers, test runners, bundlers and package managers were tried with the packages. Each row was tried with
tarballs of version ${packages}, packed as a release packs them, in a project outside the repository. A row that names no
Node was tried with Node ${node}.

The program of each row starts the packed emulator, and logs in with Salesloft, SalesOS and Salesforce through Express
and Passport. The packages check the ID Tokens and the signatures, and keep each pending login in an encrypted cookie. Then the
program refreshes the tokens, and seals a value as a token store does. A row that does something else says so.

[Frameworks](frameworks.md) has the programs of NestJS, Fastify, Koa and Hono, which \`npm run test:matrix\` tries.

${tables.join('\n\n')}
## Try it again

\`\`\`sh
npm run test:compat                        # every row
npm run test:compat -- node-22 typescript  # one row, and all rows whose name begins with typescript-
npm run test:compat -- --list              # the names of the rows
npm run test:compat -- --page              # writes this page again, and tries nothing
\`\`\`

The command needs the registry of npm, and Linux or macOS. It takes half an hour on a machine with nothing else to do. It installs
each tool into a temporary folder, which it removes at the end, and replaces the rows that it has tried. It fails if a
step fails that the page does not explain.
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
