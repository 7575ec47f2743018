/**
 * `npm run bench:tenants`: one strategy for many tenants and environments. It checks that each login ends as
 * its own, measures the heap, the connections and the CPU, and writes them to docs/performance.md. `-- --quick`
 * takes half a minute, and writes nothing.
 */
import os from 'node:os';
import { parseArgs } from 'node:util';
import { moveToOwnCore } from '../cores';
import { rotate, spread } from '../login/statistics';
import { Child } from '../login/rpc';
import { Place } from './load';
import type { Mounted } from './app';
import { compose, write } from './report';
import type { Checked, Compared } from './report';

/** Twice 10 000 logins fill the tables of recent logins, which turn over every 10 000. */
const FULL = { warmUp: 20_000, step: 5000, processes: 3, rounds: 15, logins: 120, hot: 1000 };
const QUICK = { warmUp: 2000, step: 500, processes: 1, rounds: 7, logins: 60, hot: 300 };

/** The most environments that the keys of ID Tokens are kept for. */
const ENVIRONMENTS = 500;

/** The subjects whose logins are checked, and after which the heap is read. */
type Subject = Omit<Mounted, 'name'>;

const CHECKED: (Subject & { title: string })[] = [
  { title: '500 tenants', provider: 'salesloft', kind: 'tenants', count: 500 },
  { title: '10 000 tenants', provider: 'salesloft', kind: 'tenants', count: 10_000 },
  { title: '500 login hosts', provider: 'salesforce', kind: 'environments', count: ENVIRONMENTS },
];

/** Each is compared with the strategy of one tenant, in the same process. */
const COMPARED: Subject[] = [
  { provider: 'salesloft', kind: 'tenants', count: 500 },
  { provider: 'salesos', kind: 'tenants', count: 500 },
  { provider: 'salesforce', kind: 'tenants', count: 500 },
  { provider: 'salesforce', kind: 'environments', count: ENVIRONMENTS },
  { provider: 'salesloft', kind: 'tenants', count: 10_000 },
];

const { values } = parseArgs({ options: { quick: { type: 'boolean', default: false } } });
const plan = values.quick ? QUICK : FULL;
const cores = moveToOwnCore();
const began = Date.now();
const say = (what: string) =>
  console.error(`${((Date.now() - began) / 1000).toFixed(0).padStart(4)} s  ${what}`);

/** The first logins fill the bounded tables; after that, a login should leave nothing. */
async function check({ title, ...subject }: Subject & { title: string }): Promise<Checked> {
  say(`logins of ${title}`);
  const place = await new Place(cores).open(subject.kind === 'environments' ? subject.count : 1);
  await place.mount({ ...subject, name: 'many' });
  let refused = await place.interleave('many', plan.warmUp);
  const gauges = [await place.gauges()];
  for (let quarter = 0; quarter < 4; quarter += 1) {
    refused += await place.interleave('many', plan.step);
    gauges.push(await place.gauges());
  }
  place.close();
  return { title, ...plan, refused, gauges };
}

/** CPU by rounds; the ratios are taken within a round. */
async function compare(subject: Subject): Promise<Compared> {
  say(`${subject.provider}: ${subject.count} ${subject.kind} and one`);
  const rounds: { one: number; many: number }[] = [];
  for (let process = 0; process < plan.processes; process += 1) {
    const place = await new Place(cores).open(subject.kind === 'environments' ? subject.count : 1);
    await place.mount({ ...subject, name: 'one', kind: 'single', count: 1 });
    await place.mount({ ...subject, name: 'many' });
    for (const name of ['one', 'many']) await place.measure(name, plan.hot);
    for (let round = 0; round < plan.rounds; round += 1) {
      const cpu = { one: 0, many: 0 };
      for (const name of rotate(['one', 'many'] as const, round)) {
        cpu[name] = await place.measure(name, plan.logins);
      }
      rounds.push(cpu);
    }
    place.close();
  }
  return {
    ...subject,
    one: spread(rounds.map(({ one }) => one)),
    many: spread(rounds.map(({ many }) => many)),
    ratio: spread(rounds.map(({ one, many }) => many / one)),
  };
}

async function main(): Promise<void> {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
    process.once(signal, () => {
      Child.stopAll();
      process.exit(1);
    });
  }
  const [loadBefore = 0] = os.loadavg();
  try {
    const checked: Checked[] = [];
    for (const subject of CHECKED) checked.push(await check(subject));
    const compared: Compared[] = [];
    for (const subject of COMPARED) compared.push(await compare(subject));
    const minutes = (Date.now() - began) / 60_000;
    const text = await compose({ checked, compared, loadBefore, minutes, cores });
    console.log(text);
    if (!values.quick) write(text);
  } finally {
    Child.stopAll();
  }
}

main().catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
