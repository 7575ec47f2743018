/** Starts the workers, ends them, and prints what they did. */
import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { isOAuth2Error } from 'crm-oauth2';
import { planOf } from './accounts';
import { ConfigError, setUp } from './setup';
import type { Report } from './worker';

async function main(): Promise<void> {
  const over = new AbortController();
  const stop = () => over.abort();
  process.once('SIGINT', stop).once('SIGTERM', stop);

  const { job, store, workers, seconds, close } = await setUp(process.env);
  try {
    console.log(`${workers} workers, ${job.people.length} people, ${seconds} seconds`);
    const children = Array.from({ length: workers }, () => fork(join(__dirname, 'worker.js')));
    const reports = Promise.all(children.map(reportOf));
    for (const child of children) child.send(job);
    // A worker sends its first message when it is ready.
    await Promise.race([Promise.all(children.map((child) => once(child, 'message'))), reports]);
    const time = sleep(seconds * 1000, undefined, { signal: over.signal }).catch(() => undefined);
    await Promise.race([time, reports]);
    // The callback takes the error of a worker that ends just now.
    for (const child of children) if (child.connected) child.send('stop', () => undefined);
    sumUp(await reports);

    console.log('Each token must be refreshed in time:');
    for (const line of await planOf(job, store)) console.log(`  ${line}`);
  } finally {
    await close();
  }
}

/** The last message of a worker; `undefined` when it was killed. */
async function reportOf(child: ChildProcess): Promise<Report | undefined> {
  let report: Report | undefined;
  child.on('message', (message) => {
    report = message as Report;
  });
  const [code] = (await once(child, 'exit')) as [number | null];
  return code === 0 ? report : undefined;
}

function sumUp(reports: (Report | undefined)[]): void {
  const refreshes: Record<string, number> = {};
  for (const [index, report] of reports.entries()) {
    const { fetched, errors } = report ?? { fetched: {}, errors: ['the worker did not report'] };
    console.log(`Worker ${index + 1} fetched ${list(fetched)}`);
    for (const [person, count] of Object.entries(report?.refreshes ?? {})) {
      refreshes[person] = (refreshes[person] ?? 0) + count;
    }
    for (const error of new Set(errors)) console.error(`  ${error}`);
    if (errors.length > 0) process.exitCode = 1;
  }
  console.log(`Refreshes: ${list(refreshes)}`);
}

function list(counts: Record<string, number>): string {
  const items = Object.entries(counts).map(([person, count]) => `${person} ${count}×`);
  return items.join(', ') || 'nothing';
}

main().catch((error: unknown) => {
  if (isOAuth2Error(error)) console.error([error.message, error.hint].join('\n'));
  else console.error(error instanceof ConfigError ? error.message : error);
  process.exitCode = 1;
});
