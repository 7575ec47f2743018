/** Prints the figures of a run as a table, and its verdict. */
import type { Figures } from './accounts';
import { EXPLANATIONS } from './judge';
import type { Settings } from './options';

type Row = [title: string, figure: string | number, more: string];

const list = (counts: Record<string, number>) =>
  Object.entries(counts)
    .map(([name, count]) => `${name}: ${count}`)
    .join(', ');

function rowsOf(figures: Figures): Row[] {
  const { latency, cutOff, grantsLost, requests, atTheEnd, happened, writes } = figures;
  return [
    ['Workers killed', figures.killed, `in a token request: ${figures.killedInTokenRequests}`],
    ['  that stood still', happened['workers that stood still'], ''],
    ['Redis killed', happened['kills of Redis'], ''],
    ['Faults of the provider', happened['faults of the provider'], list(figures.faults)],
    ['Calls', figures.calls, `a second: ${figures.callsPerSecond}, keys: ${figures.keysUsed}`],
    ['getAccessToken, p50', `${latency.p50} ms`, `p99: ${latency.p99} ms, max: ${latency.max} ms`],
    ['Generations refreshed', figures.refreshes, `a second: ${figures.refreshesPerSecond}`],
    ['  wanted by several', happened.contended, 'workers at once'],
    ['  refresh requests', figures.refreshRequests, `that ended a grant: ${grantsLost.all}`],
    ['  per generation', figures.refreshesPerGeneration, 'without those explained below'],
    ['  before their time', figures.early, ''],
    [
      'New pairs stored at once',
      writes.prompt,
      `after a stall: ${writes.stalled + writes.busy}, late: ${writes.late}`,
    ],
    ['Cut off before rotation', cutOff.before, `generations refreshed later: ${cutOff.recovered}`],
    ['  after it', cutOff.after, ''],
    ['Grants lost', grantsLost.all, `requests under way at a kill: ${grantsLost.underWayAtKills}`],
    ...Object.entries(EXPLANATIONS).map(([name, title]): Row => [
      '',
      grantsLost[name as keyof typeof EXPLANATIONS],
      title,
    ]),
    ['', grantsLost.busy, 'a process did not run'],
    ['  unexplained', grantsLost.unexplained, ''],
    ['Good tokens', requests.good, `died on the way: ${requests.diedOnTheWay}`],
    [
      '  dead ones handed out',
      requests.dead,
      `of lost grants: ${requests.ofLostGrants}, by a worker that stood still: ${requests.held}`,
    ],
    ['  older than one in use', requests.older, ''],
    ['  401 in the end', requests.unanswered, ''],
    ['Calls told to sign in', figures.told, `people who did: ${figures.signedInAgain}`],
    ['  that gave up a lock', figures.gaveUp, ''],
    ['  that failed otherwise', '', list(figures.failed)],
    ['  not begun', figures.notBegun, ''],
    [
      'Keys good at the end',
      atTheEnd.good,
      `lost: ${atTheEnd.lost}, must wait: ${atTheEnd.waiting}, wrong: ${atTheEnd.wrong}`,
    ],
    ...loadRows(figures),
  ];
}

function loadRows({ delay, stalled }: Figures): Row[] {
  const percent = (part: number) => `${Math.round(part * 1000) / 10} %`;
  const row = (title: string, who: 'workers' | 'provider' | 'runner'): Row => [
    title,
    percent(stalled[who]),
    `event loop delay, p99: ${delay[who].p99} ms, max: ${delay[who].max} ms`,
  ];
  return [
    row('Did not run: a worker', 'workers'),
    row('  the provider', 'provider'),
    row('  the runner', 'runner'),
    ['  Redis answered late', percent(stalled.redis), ''],
  ];
}

export function print(
  { seconds, workers, keys, ttl, revokeOld, mutant }: Settings,
  figures: Figures,
): void {
  const old = revokeOld ? 'dead with the next one' : 'good to their end';
  console.log(`${workers} workers, ${keys} keys, ${seconds} s; tokens of ${ttl} s, ${old}`);
  if (mutant !== undefined) console.log(`The workers run the mutant "${mutant}".`);
  console.log();
  for (const [title, figure, more] of rowsOf(figures)) {
    console.log(`${title.padEnd(26)}${String(figure).padStart(9)}   ${more}`.trimEnd());
  }
  const verdicts: Record<Figures['verdict'], string> = {
    proved: 'All is accounted for.',
    wrong: 'Wrong:',
    'too little': 'Not enough happened to prove anything:',
    'too busy': 'The machine was too busy to judge:',
  };
  console.log(`\n${verdicts[figures.verdict]}`);
  for (const [title, count] of [...figures.wrong, ...figures.busy])
    console.log(`  ${count} ${title}`);
  for (const [title, count, least] of figures.tooLittle) {
    console.log(`  ${title}: ${count}, at least ${least} are needed`);
  }
}
