/** docs/performance.md with its pictures, and its tables for the terminal. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import os from 'node:os';
import { dirname, join } from 'node:path';
import { format as formatWith } from 'prettier';
import { BENCH, PEERS, ROOT } from '../places';
import { PAGE, format, latest, table } from '../tables';
import type { Figures } from './figures';
import type { Goal } from './goals';
import { cpuSection, goalSection, growthSection, throughputSection } from './sections-cost';
import { everydaySection, gainSection, memorySection, packageSection } from './sections-use';
import type { Pictures } from './sections-use';

/** Sections that another program measures, and that a run keeps as they are. */
const KEPT = [join(BENCH, 'tenants', 'figures.md'), join(BENCH, 'tokens', 'figures.md')];

export interface Circumstances {
  command: string;
  isQuick: boolean;
  minutes: number;
  /** The load of the machine before the run. */
  loadBefore: number;
  /** Logins before the CPU of an app is measured. */
  warmUp: number;
  cores: string;
}

export interface Report {
  text: string;
  /** The sections that this run has measured. */
  measured: string;
  pictures: Pictures;
}

const readJson = (file: string) => JSON.parse(readFileSync(file, 'utf8')) as unknown;

function versions(): string {
  const { dependencies } = readJson(PEERS) as { dependencies: object };
  const versionOf = (from: string, name: string) => {
    try {
      const [folder = ''] = createRequire(from).resolve.paths(name) ?? [];
      const { version } = readJson(join(folder, name, 'package.json')) as { version: string };
      return `${name} ${version}`;
    } catch {
      return `${name} (not installed)`;
    }
  };
  return [
    ...['express', 'express-session', 'passport'].map((name) => versionOf(join(ROOT, 'x'), name)),
    ...Object.keys(dependencies).map((name) => versionOf(PEERS, name)),
  ].join(', ');
}

function commit(): string {
  try {
    const git = (...parameters: string[]) =>
      execFileSync('git', parameters, {
        cwd: ROOT,
        stdio: ['ignore', 'pipe', 'ignore'],
      }).toString();
    const changed =
      git('status', '--porcelain', '--', 'packages') === '' ? '' : ', and changes to it';
    return `, of commit ${git('rev-parse', '--short', 'HEAD').trim()}${changed}`;
  } catch {
    return '';
  }
}

/** A part of a core that is busy before a run is enough to disturb it. */
const BUSY_LOAD = 0.5;

/** Why the figures of a run are rough; nothing when they are not. */
export function caution({
  isQuick,
  loadBefore,
}: Pick<Circumstances, 'isQuick' | 'loadBefore'>): string {
  const quick =
    'This was a quick run, with fewer subjects and rounds. Its apps are hardly warm, so its CPU figures are rough.';
  const busy = `The machine was busy before the run began (load ${loadBefore.toFixed(1)}), so its figures are rough.`;
  return [...(isQuick ? [quick] : []), ...(loadBefore > BUSY_LOAD ? [busy] : [])].join(' ');
}

export function compose(
  figures: Figures,
  goals: readonly Goal[],
  circumstances: Circumstances,
): Report {
  const { command, minutes, loadBefore, warmUp, cores } = circumstances;
  const pictures: Pictures = new Map();
  const machine = `${os.cpus().length} cores (${os.cpus()[0]?.model.trim() ?? 'unknown'}), ${os.type()}, Node ${process.version.slice(1)}; ${cores}; load before it began ${loadBefore.toFixed(1)}`;
  const measured = [
    gainSection(figures),
    ...(goals.length > 0 ? [goalSection(goals)] : []),
    cpuSection(figures, pictures),
    everydaySection(figures, pictures),
    throughputSection(figures),
    memorySection(figures),
    packageSection(figures),
    growthSection(figures, pictures),
  ].join('\n');
  const text = `# Performance

<!-- Written by \`npm run bench\`. -->

This page compares the cost of a login with that of other libraries. All of them are measured in one run, in turns,
each in a process of its own, with a provider in another process. Compare the ratios, which are taken within a round:
absolute figures are those of one machine at one moment, and vary by half. Every login is proven before it is timed:
its profile must be the one that the provider has issued. Lower figures are better, except for logins per second.

${caution(circumstances)}

${measured}
${KEPT.map(latest).join('\n')}
${readFileSync(join(BENCH, 'login', 'notes.md'), 'utf8')}
## How it is measured

${table(
  ['', ''],
  [
    [
      'Measured',
      `${new Date().toISOString().slice(0, 10)}, in ${minutes.toFixed(1)} minutes${commit()}`,
    ],
    ['By', `\`${command}\``],
    ['On', machine],
    ['With', versions()],
  ],
)}

Each library is set up as its own documentation says (\`bench/login/subjects.ts\`). An app has served ${warmUp} logins${
    figures.http ? ', half of them over http,' : ''
  }
before its CPU is measured, in a V8 that is told to compile early: \`process.cpuUsage()\` of its process, around a batch of starts and around the batch of
callbacks that follows. The app has a core for itself; the provider and the program that plays the browsers share
another. A proxy makes the distance: it delays every byte by 20 ms each way, and lets a new connection wait for a round
trip. Names are not looked up. ID Tokens are signed before the callbacks are timed.
`;
  return { text, measured, pictures };
}

export async function write({ text, pictures }: Report): Promise<void> {
  const images = join(dirname(PAGE), 'images');
  mkdirSync(images, { recursive: true });
  writeFileSync(PAGE, await format(text));
  for (const [name, picture] of pictures) writeFileSync(join(images, name), picture);
}

/** Prints what was measured. The tables are readable in a terminal too. */
export async function print({ measured }: Report): Promise<void> {
  const formatted = await formatWith(measured, { parser: 'markdown', printWidth: 100 });
  console.log(formatted.replace(/!\[.*\n\n/g, ''));
}
