/**
 * `npm run test:compat -- NAME…`: logs in with the packed packages in each runtime, compiler, test runner,
 * bundler and package manager, and writes docs/compatibility.md. Without a name it tries all.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../support/packages';
import type { Cell } from './cell';
import { CELLS } from './cells';
import { endAll } from './process';
import { merge, readRows, write } from './results';
import type { Row } from './results';
import { NotTried, StepFailed, Workbench } from './workbench';

const { version: packages } = JSON.parse(
  readFileSync(join(ROOT, 'packages', 'crm-oauth2', 'package.json'), 'utf8'),
) as { version: string };

/** The folders in which tools keep settings and caches of their own. */
const HOMES = ['XDG_CACHE_HOME', 'XDG_CONFIG_HOME', 'XDG_DATA_HOME', 'XDG_STATE_HOME'];

/** Tries a cell. A failure is a part of the row. */
async function rowOf(cell: Cell, bench: Workbench): Promise<Row> {
  const date = new Date().toISOString().slice(0, 10);
  const { node } = process.versions;
  const row: Row = { id: cell.id, version: '', date, packages, node, works: [], fails: [] };
  try {
    const { version, steps } = await cell.prepare(bench);
    row.version = version;
    for (const [step, attempt] of Object.entries(steps)) {
      try {
        await attempt();
        row.works.push(step);
        console.log(`  works: ${step}`);
      } catch (error) {
        if (!(error instanceof StepFailed)) throw error;
        row.fails.push({ step, reason: cell.known?.[step] ?? error.message });
        console.log(`  fails: ${step}: ${error.message}`);
      }
    }
  } catch (error) {
    if (!(error instanceof NotTried)) throw error;
    row.notTried = error.message;
    console.log(`  not tried: ${error.message}`);
  }
  return row;
}

const isNamed = (id: string, names: readonly string[]) =>
  names.length === 0 || names.some((name) => id === name || id.startsWith(`${name}-`));

/** A failure without an explanation in its cell. */
const isNews = (cell: Cell, { fails }: Row) => fails.some(({ step }) => !cell.known?.[step]);

async function main(names: readonly string[]): Promise<void> {
  if (names.includes('--list')) {
    for (const { id, title } of CELLS) console.log(`${id.padEnd(26)} ${title}`);
    return;
  }
  if (names.includes('--page')) return await write(readRows(), CELLS);
  const unknown = names.filter((name) => !CELLS.some(({ id }) => isNamed(id, [name])));
  if (unknown.length > 0) {
    throw new Error(`There is no row ${unknown.join(', ')}. "--list" prints the names.`);
  }
  const bench = await Workbench.create();
  for (const name of HOMES) process.env[name] = join(bench.folder, 'home');
  const leave = () => {
    endAll();
    bench.remove();
    process.exit(1);
  };
  process.once('SIGINT', leave).once('SIGTERM', leave);
  try {
    for (const cell of CELLS.filter(({ id }) => isNamed(id, names))) {
      console.log(cell.title);
      const row = await rowOf(cell, bench);
      if (isNews(cell, row)) process.exitCode = 1;
      await write(merge(readRows(), [row], CELLS), CELLS);
    }
  } finally {
    endAll();
    bench.remove();
  }
}

main(process.argv.slice(2)).catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
});
