/** Runs programs in a process group of their own, each with a time limit, so that none outlives its cell. */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';

const MINUTE_MS = 60_000;
/** A login takes seconds; a compiler on a busy machine takes minutes. */
const RUN_LIMIT_MINUTES = 4;
const OUTPUT_LIMIT_CHARACTERS = 200_000;

export interface RunOptions {
  cwd: string;
  /** Default 4. */
  minutes?: number;
  env?: Readonly<Record<string, string>>;
}

export interface Finished {
  /** 0 when it ended well. */
  status: number;
  stdout: string;
  /** Both streams. */
  output: string;
}

/** No telemetry, and none of the options of this process. */
const QUIET = {
  CI: '1',
  DENO_NO_UPDATE_CHECK: '1',
  DO_NOT_TRACK: '1',
  NEXT_TELEMETRY_DISABLED: '1',
  NO_COLOR: '1',
  NODE_OPTIONS: '',
  YARN_ENABLE_TELEMETRY: '0',
};

const running = new Set<ChildProcess>();

/** Starts a program that {@link end} must end. */
export function start(
  file: string,
  parameters: readonly string[],
  { cwd, env }: RunOptions,
): ChildProcess {
  const child = spawn(file, parameters, {
    cwd,
    env: { ...process.env, ...QUIET, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  running.add(child);
  child.once('exit', () => running.delete(child));
  return child;
}

/** Ends a program, and the programs that it has started. */
export async function end(child: ChildProcess): Promise<void> {
  const hasEnded = child.exitCode !== null || child.signalCode !== null;
  const exited = hasEnded ? undefined : once(child, 'exit');
  signal(child);
  await exited;
}

function signal(child: ChildProcess): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, 'SIGKILL');
  } catch (error) {
    // The group has ended.
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

/** Ends all programs at once, before this process ends. */
export function endAll(): void {
  for (const child of running) signal(child);
}

/** Runs a program to its end. It never rejects: a program that cannot start, or takes too long, has failed. */
export async function run(
  file: string,
  parameters: readonly string[],
  options: RunOptions,
): Promise<Finished> {
  const { minutes = RUN_LIMIT_MINUTES } = options;
  const child = start(file, parameters, options);
  let stdout = '';
  let output = '';
  child.stdout?.on('data', (chunk: Buffer) => {
    stdout = (stdout + chunk.toString()).slice(-OUTPUT_LIMIT_CHARACTERS);
    output = (output + chunk.toString()).slice(-OUTPUT_LIMIT_CHARACTERS);
  });
  child.stderr?.on('data', (chunk: Buffer) => {
    output = (output + chunk.toString()).slice(-OUTPUT_LIMIT_CHARACTERS);
  });
  return await new Promise<Finished>((resolve) => {
    const finish = (status: number, note = '') => {
      clearTimeout(timer);
      signal(child);
      resolve({ status, stdout, output: note + output });
    };
    const timer = setTimeout(
      () => finish(1, `It did not end in ${minutes} minutes.\n`),
      minutes * MINUTE_MS,
    );
    child.once('error', (error) => finish(1, `${error.message}\n`));
    child.once('close', (status) => finish(status ?? 1));
  });
}
