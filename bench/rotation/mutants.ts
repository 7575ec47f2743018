/**
 * Proves the proof: it runs once for each mutant of the library, and must notice every one.
 * `npm run prove:rotation -- --mutants`.
 */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { STATUS } from './accounts';
import type { Figures } from './accounts';
import { MUTANTS } from './copy';

/** A light load: the troubles alone must show each mutant. */
const OPTIONS = ['--seconds', '40', '--workers', '4', '--keys', '50', '--rate', '20', '--json'];

/** Twice what a run takes on a machine that is busy. */
const LIMIT_MS = 240_000;

/** @returns `noticed`, `too busy`, or `PASSED` */
function judge(mutant: string): 'noticed' | 'too busy' | 'PASSED' {
  const program = [join(__dirname, 'prove.js'), ...OPTIONS, '--mutant', mutant];
  const { status, stdout, stderr } = spawnSync(process.execPath, program, {
    encoding: 'utf8',
    timeout: LIMIT_MS,
    killSignal: 'SIGTERM',
  });
  let found = stderr.trim();
  if (stdout.startsWith('{')) {
    const { verdict, wrong } = JSON.parse(stdout) as Figures;
    found = [verdict, ...wrong.map(([title, count]) => `${count} ${title}`)].join('\n    ');
  }
  let result: ReturnType<typeof judge> = 'PASSED';
  if (status === STATUS['too busy']) result = 'too busy';
  if (status === STATUS.wrong && stdout.startsWith('{')) result = 'noticed';
  console.log(`${result.padEnd(8)}  ${mutant}: a build that ${MUTANTS[mutant]?.title}`);
  console.log(`    ${found}`);
  return result;
}

/** @returns the exit status */
export function noticeAll(): number {
  const results = Object.keys(MUTANTS).map(judge);
  const count = results.filter((result) => result === 'noticed').length;
  console.log(`\n${count} of ${results.length} mutants were noticed.`);
  if (results.includes('PASSED')) return STATUS.wrong;
  return results.includes('too busy') ? STATUS['too busy'] : STATUS.proved;
}

if (require.main === module) process.exitCode = noticeAll();
