/**
 * `npm run bench:tokens`: the cost of a stored token's use, beside a bare GET of the same client, and beside
 * google-auth-library and jsforce; refreshes, many people, and a refresh plan. It writes its section of
 * docs/performance.md. `-- --quick` takes half a minute, and writes nothing.
 */
import { loadavg } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { describeCores, moveToOwnCore } from '../cores';
import { Child } from '../login/rpc';
import { rotate } from '../login/statistics';
import { installPeers, isPeerInstalled } from '../peers';
import type { Cost, Refresher, TokenHandlers, Use } from './app';
import type { TokenProviderHandlers } from './provider';
import { Redis } from './redis';
import { compose, write } from './report';
import type { Calls, Crowd, Figures, Refreshed, Uses } from './report';

const FULL = {
  rounds: 15,
  uses: 2000,
  calls: 400,
  callers: 1000,
  refreshRounds: 5,
  people: 100_000,
  records: 1_000_000,
};
const QUICK: typeof FULL = {
  rounds: 5,
  uses: 500,
  calls: 100,
  callers: 1000,
  refreshRounds: 2,
  people: 2000,
  records: 20_000,
};
/** A use without a look at the store is so short that more of them make one measurement. */
const CACHED_TIMES = 10;
const LEVELS = [1, 64];
const FEW_PEOPLE = 1000;

const { values } = parseArgs({ options: { quick: { type: 'boolean', default: false } } });
const plan = values.quick ? QUICK : FULL;
const began = Date.now();
const [loadBefore = 0] = loadavg();
const say = (what: string) =>
  console.error(`${((Date.now() - began) / 1000).toFixed(0).padStart(4)} s  ${what}`);

type App = Child<TokenHandlers>;

/** Runs each way in turns. */
async function inTurns<U extends Use>(
  app: App,
  ways: readonly U[],
  concurrency: number,
  usesOf: (use: U) => number,
): Promise<Map<U, Cost[]>> {
  const costs = new Map<U, Cost[]>(ways.map((use) => [use, []]));
  for (const use of ways) await app.call('measure', { use, uses: usesOf(use), concurrency });
  for (let round = 0; round < plan.rounds; round += 1) {
    for (const use of rotate(ways, round)) {
      costs.get(use)?.push(await app.call('measure', { use, uses: usesOf(use), concurrency }));
    }
  }
  return costs;
}

async function measureUses(app: App): Promise<Uses[]> {
  const all: Uses[] = [];
  const ways: Use[] = ['get', 'token', 'token made anew', 'cached'];
  if (isPeerInstalled('google-auth-library')) ways.push('google headers');
  const isShort = (use: Use) => use === 'cached' || use === 'google headers';
  for (const concurrency of LEVELS) {
    say(`uses, ${concurrency} at a time`);
    const costs = await inTurns(app, ways, concurrency, (use) =>
      isShort(use) ? plan.uses * CACHED_TIMES : plan.uses,
    );
    all.push({ concurrency, costs });
  }
  return all;
}

async function measureCalls(app: App): Promise<Calls> {
  say('calls of an API');
  const ways: Use[] = ['call'];
  if (isPeerInstalled('google-auth-library')) ways.push('google call');
  if (isPeerInstalled('jsforce')) ways.push('jsforce call');
  const concurrency = 16;
  return { concurrency, costs: await inTurns(app, ways, concurrency, () => plan.calls) };
}

async function measureRefreshes(
  app: App,
  provider: Child<TokenProviderHandlers>,
): Promise<Refreshed[]> {
  say(`refreshes with ${plan.callers} callers`);
  const all: Refresher[] = ['redis', 'memory'];
  if (isPeerInstalled('google-auth-library')) all.push('google');
  if (isPeerInstalled('jsforce')) all.push('jsforce');
  const results: Refreshed[] = all.map((by) => ({ by, ms: [], requests: [] }));
  for (let round = 0; round < plan.refreshRounds; round += 1) {
    for (const { by, ms, requests } of rotate(results, round)) {
      const before = await provider.call('counts');
      ms.push(await app.call('refresh', { by, callers: plan.callers }));
      requests.push((await provider.call('counts')).refreshes - before.refreshes);
    }
  }
  return results;
}

/** Uses of tokens of any person, when few are stored and when many are. */
async function measureCrowds(app: App): Promise<Crowd[]> {
  const crowds: Crowd[] = [];
  for (const people of [FEW_PEOPLE, plan.people]) {
    say(`${people} stored people`);
    const storing = await app.call('keep', { people });
    const before = await app.call('heap');
    const uses = plan.uses * 5;
    const costs: Cost[] = [];
    for (let round = 0; round < plan.rounds; round += 1) {
      costs.push(await app.call('measure', { use: 'anyone', uses, concurrency: 64 }));
    }
    crowds.push({ people, storing, costs, heap: [before, await app.call('heap')] });
  }
  return crowds;
}

async function measure(redis: Redis): Promise<Figures> {
  const cores = moveToOwnCore();
  say(describeCores(cores));
  const provider = new Child<TokenProviderHandlers>(join(__dirname, 'provider.js'));
  await redis.start();
  const app: App = new Child(join(__dirname, 'app.js'), [], {
    execArgv: ['--expose-gc'],
    core: cores?.app,
  });
  const origin = `http://127.0.0.1:${await provider.call('port')}`;
  await app.call('open', { redisPort: redis.port, origin });
  await app.call('keep', { people: FEW_PEOPLE });
  const uses = await measureUses(app);
  const calls = await measureCalls(app);
  const refreshes = await measureRefreshes(app, provider);
  const crowds = await measureCrowds(app);
  say(`a refresh plan over ${plan.records} records`);
  const planned = await app.call('plan', { records: plan.records });
  return {
    uses,
    calls,
    callers: plan.callers,
    refreshes,
    crowds,
    planned: { ...planned, records: plan.records, people: plan.people },
    minutes: (Date.now() - began) / 60_000,
    loadBefore,
    cores,
  };
}

async function main(): Promise<void> {
  installPeers(say);
  const redis = new Redis();
  const end = () => {
    Child.stopAll();
    redis.close();
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
    process.once(signal, () => {
      end();
      process.exit(1);
    });
  }
  try {
    const text = await compose(await measure(redis));
    console.log(text);
    if (!values.quick) write(text);
  } finally {
    end();
  }
}

main().catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
