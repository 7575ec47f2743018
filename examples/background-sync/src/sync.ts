/** Starts the workers, shows what they do, ends them, and sums up. */
import { once } from 'node:events';
import { isOAuth2Error } from 'crm-oauth2';
import { labelOf, planOf } from './accounts';
import { USAGE, UsageError, readOptions } from './options';
import type { Options } from './options';
import { LONGEST_SILENCE_SECONDS, watch, pause } from './redis';
import { ConfigError, setUp } from './setup';
import type { Setup } from './setup';
import { Tally, many } from './tally';
import { startTeam } from './team';
import type { Message } from './worker';

/** A refresh takes at most the client's timeout of ten seconds; then its tokens are stored. */
const LAST_REQUEST_MS = 15_000;
/** Without Redis, new tokens cannot be stored. */
const LAST_REQUEST_WITHOUT_REDIS_MS = 2000;

const PROGRESS_LINES = 5;

const STATUS = { failure: 1, usage: 2, SIGINT: 130, SIGTERM: 143 };

/** Ctrl+C came before the workers were started. */
class NothingDone extends Error {
  constructor(readonly signal: 'SIGINT' | 'SIGTERM') {
    super(signal);
  }
}

async function main(): Promise<void> {
  const options = readOptions(process.argv.slice(2));
  if (options.help) return console.log(USAGE);
  const stop = stopOnSignal();
  const setup = await setUp(process.env, stop);
  try {
    stop.throwIfAborted();
    const { people } = setup.job;
    if (setup.isEmulated) console.log('The emulator plays Salesloft and SalesOS.');
    console.log(
      `Starting ${many(options.workers, 'worker')}, which fetch data of ${many(people.length, 'person')} for ${many(options.seconds, 'second')}. Ctrl+C ends them earlier.`,
    );
    const tally = new Tally(people.map(labelOf));
    const hasLostRedis = await run(setup, options, tally, stop);
    await sumUp(setup, tally, hasLostRedis);
  } finally {
    await setup.close();
  }
}

/** @returns true when Redis is away at the end */
async function run(
  { job, redis, redisHost }: Setup,
  { workers, seconds }: Options,
  tally: Tally,
  stop: AbortSignal,
): Promise<boolean> {
  const say = sayWithClock();
  const over = new AbortController();
  const end = AbortSignal.any([over.signal, stop]);
  const team = startTeam(job, workers, (message: Message, worker) => {
    const line = tally.count(message, worker);
    if (line !== undefined) say(line, message.event === 'failure');
  });
  const silence = watch(redis, end, (isSilent) => {
    const waiting = `does not answer. Waiting ${LONGEST_SILENCE_SECONDS} seconds for it.`;
    say(`Redis at ${redisHost} ${isSilent ? waiting : 'answers again.'}`, true);
  });
  const work = async () => {
    await team.ready;
    const every = Math.max(1000, (seconds * 1000) / PROGRESS_LINES);
    const progress = setInterval(() => say(tally.progress()), every);
    await pause(seconds * 1000, end);
    clearInterval(progress);
  };
  const stopped = once(stop, 'abort').then(() => {
    say('Each worker finishes the request that it has begun. Ctrl+C again ends at once.');
  });
  await Promise.race([work(), stopped, team.ended, silence]);
  over.abort();
  const hasLostRedis = await silence;
  const killed = await team.end(hasLostRedis ? LAST_REQUEST_WITHOUT_REDIS_MS : LAST_REQUEST_MS);
  if (killed > 0 && !hasLostRedis) {
    throw new ConfigError(
      `${many(killed, 'worker')} did not finish the last request in ${LAST_REQUEST_MS / 1000} seconds.`,
    );
  }
  return hasLostRedis;
}

async function sumUp(setup: Setup, tally: Tally, hasLostRedis: boolean): Promise<void> {
  const { job, store, redisHost } = setup;
  console.log(`In all: ${tally.progress()}`);
  const plan = hasLostRedis ? new Map<string, string>() : await planOf(job, store);
  for (const [person, line] of tally.people()) {
    console.log(`  ${[`${person}: ${line}`, plan.get(person)].filter(Boolean).join('; ')}`);
  }
  if (hasLostRedis) {
    throw new ConfigError(
      `Redis at ${redisHost} has stopped answering, so the workers were ended. Start it again (redis-server), then this command. A person whose tokens were being refreshed may have to sign in again.`,
    );
  }
  for (const failure of tally.unshownFailures()) console.error(failure);
  if (tally.failed > 0) process.exitCode = STATUS.failure;
}

/** The first Ctrl+C lets the workers finish what they have begun. A second one ends everything at once. */
function stopOnSignal(): AbortSignal {
  const stop = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => {
      if (stop.signal.aborted) process.exit(STATUS[signal]);
      stop.abort(new NothingDone(signal));
    });
  }
  return stop.signal;
}

function sayWithClock() {
  const start = performance.now();
  return (line: string, isFailure = false) => {
    const seconds = ((performance.now() - start) / 1000).toFixed(1);
    (isFailure ? console.error : console.log)(`${seconds.padStart(5)} s  ${line}`);
  };
}

function explain(error: unknown): void {
  process.exitCode = STATUS.failure;
  if (error instanceof UsageError) {
    process.exitCode = STATUS.usage;
    console.error(`${error.message}\n\n${USAGE}`);
  } else if (error instanceof NothingDone) {
    process.exitCode = STATUS[error.signal];
  } else if (isOAuth2Error(error)) console.error([error.message, error.hint].join('\n'));
  // Any other error is a fault of this program, which its stack helps to find.
  else console.error(error instanceof ConfigError ? error.message : error);
}

main().catch(explain);
