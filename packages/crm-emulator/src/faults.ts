import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import type { Context } from 'oidc-provider/lib/provider.js';
import type { Fault, Step } from './types.js';

const MEBIBYTE = 1024 * 1024;
const ENDLESS_BYTES = 64 * MEBIBYTE;
const ENDLESS_MS = 30_000;

/** The faults waiting at one origin, and the ones at work. */
export class Faults {
  #queue: { fault: Fault; left: number; isRehearsed?: true }[] = [];
  #work = new AbortController();

  add(fault: Fault): void {
    const left = fault.times ?? 1;
    if (!Number.isInteger(left) || left < 1)
      throw new TypeError('fault.times: a whole number from 1');
    this.#queue.push({ fault, left });
  }

  /**
   * What a person has chosen to go wrong after this sign-in. What is left of the choice of an earlier one
   * is forgotten, since nobody would understand it any more.
   */
  rehearse(fault: Fault | undefined): void {
    this.#queue = this.#queue.filter(({ isRehearsed }) => !isRehearsed);
    if (fault) this.#queue.push({ fault, left: 1, isRehearsed: true });
  }

  /** Forgets what is queued and ends what is at work: stalled requests lose their socket. */
  clear(): void {
    this.#queue = [];
    this.#work.abort();
    this.#work = new AbortController();
  }

  /** Takes the oldest fault aimed at one of the steps, and counts it. */
  take(steps: readonly Step[], wanted: (fault: Fault) => boolean = () => true): Fault | undefined {
    const entry = this.#queue.find(({ fault }) => steps.includes(fault.step) && wanted(fault));
    if (!entry) return undefined;
    entry.left -= 1;
    if (entry.left === 0) this.#queue.splice(this.#queue.indexOf(entry), 1);
    return entry.fault;
  }

  /** Lets a fault spoil one answer; `handle` makes the right one. */
  async apply(fault: Fault, context: Context, handle: () => Promise<void>): Promise<void> {
    const { signal } = this.#work;
    switch (fault.kind) {
      case 'slow':
        if (await paused(fault.delayMs, context.res, signal)) return handle();
        return drop(context);
      case 'silent':
        context.respond = false;
        await closed(context.res, signal);
        return drop(context);
      case 'reset':
        return drop(context, true);
      case 'reset-after-headers':
        context.respond = false;
        context.res.writeHead(200, { 'content-type': JSON_TYPE, 'content-length': 1024 });
        context.res.flushHeaders();
        await paused(20, context.res, signal);
        return drop(context, true);
      case 'drip':
        await handle();
        return drip(context, fault.intervalMs ?? 1_000, signal);
      case 'cut':
        await handle();
        return cut(context, signal);
      case 'endless':
        return endless(context, signal);
      case 'huge':
        await handle();
        context.body = padded(context.body, fault.bytes ?? 16 * MEBIBYTE);
        return;
      case 'gzip':
        await handle();
        context.set('content-encoding', 'gzip');
        context.type = JSON_TYPE;
        context.body = gzipSync(JSON.stringify(padded(context.body, fault.bytes ?? 16 * MEBIBYTE)));
        return;
      case 'html':
        return answer(
          context,
          200,
          'text/html; charset=utf-8',
          '<!doctype html><title>Maintenance</title>',
        );
      case 'status':
        if (fault.retryAfter !== undefined) context.set('retry-after', String(fault.retryAfter));
        if (typeof fault.body === 'string')
          return answer(context, fault.status, 'text/plain; charset=utf-8', fault.body);
        return answer(
          context,
          fault.status,
          JSON_TYPE,
          JSON.stringify(fault.body ?? { error: 'emulated_fault' }),
        );
      case 'redirect':
        context.set('location', fault.location);
        return answer(context, fault.status ?? 302, 'text/plain; charset=utf-8', 'Moved');
      case 'wrong-content-type':
        await handle();
        context.body = serialised(context.body);
        context.set('content-type', fault.contentType ?? 'text/html; charset=utf-8');
        return;
      case 'empty':
        return answer(context, 200, JSON_TYPE, '');
      case 'not-json':
        return answer(context, 200, JSON_TYPE, '{"access_token": "cut-off-in-the-mid');
      case 'json':
        return answer(context, fault.status ?? 200, JSON_TYPE, JSON.stringify(fault.body));
      case 'patch':
        await handle();
        if (isObject(context.body)) context.body = merged(context.body, fault.merge);
        return;
      case 'wrong-signature':
      case 'id-token':
        // The dialect lies while it makes the token response.
        context.state['fault'] = fault;
        return handle();
    }
  }
}

const JSON_TYPE = 'application/json; charset=utf-8';

/** Lays `changes` over `fields`; `undefined` and `null` remove. */
export function merged<T>(
  fields: Record<string, T>,
  changes: Record<string, unknown>,
): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries({ ...fields, ...changes }).filter(
      ([, value]) => value !== undefined && value !== null,
    ),
  );
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return (
    typeof value === 'object' && value !== null && !Array.isArray(value) && !Buffer.isBuffer(value)
  );
}

function answer(context: Context, status: number, type: string, body: string): void {
  context.status = status;
  context.body = body;
  context.set('content-type', type);
}

function padded(body: unknown, bytes: number): Record<string, unknown> {
  return { padding: 'a'.repeat(bytes), ...(isObject(body) ? body : {}) };
}

function serialised(body: unknown): string {
  return typeof body === 'string' ? body : JSON.stringify(body ?? '');
}

/** Ends the connection without (the rest of) an answer; `reset`: with a TCP reset. */
function drop(context: Context, reset = false): void {
  context.respond = false;
  const { socket } = context.res;
  if (reset) socket?.resetAndDestroy();
  else socket?.destroy();
}

/** Waits; false when the client or the emulator gave up first. */
async function paused(ms: number, response: ServerResponse, signal: AbortSignal): Promise<boolean> {
  const done = new AbortController();
  const stop = () => done.abort();
  response.once('close', stop);
  signal.addEventListener('abort', stop);
  try {
    await sleep(ms, undefined, { signal: done.signal });
    return true;
  } catch {
    return false;
  } finally {
    response.off('close', stop);
    signal.removeEventListener('abort', stop);
  }
}

async function closed(response: ServerResponse, signal: AbortSignal): Promise<void> {
  if (response.destroyed || signal.aborted) return;
  await once(response, 'close', { signal }).catch(() => undefined);
}

/** Starts an answer by hand, with the length it claims to have. */
function begin(context: Context, body: Buffer, length: number): ServerResponse {
  const { res, status } = context;
  context.respond = false;
  res.removeHeader('transfer-encoding');
  if (!res.hasHeader('content-type')) res.setHeader('content-type', JSON_TYPE);
  res.setHeader('content-length', length);
  res.statusCode = body.length > 0 && status === 204 ? 200 : status;
  res.flushHeaders();
  return res;
}

async function drip(context: Context, intervalMs: number, signal: AbortSignal): Promise<void> {
  const body = Buffer.from(serialised(context.body));
  const response = begin(context, body, body.length);
  for (const byte of body) {
    if (!(await paused(intervalMs, response, signal))) return drop(context);
    response.write(Buffer.of(byte));
  }
  response.end();
}

async function cut(context: Context, signal: AbortSignal): Promise<void> {
  const body = Buffer.from(serialised(context.body));
  const response = begin(context, body, body.length + 64);
  response.write(body.subarray(0, Math.ceil(body.length / 2)));
  await paused(20, response, signal);
  drop(context);
}

async function endless(context: Context, signal: AbortSignal): Promise<void> {
  const { res } = context;
  context.respond = false;
  res.writeHead(200, { 'content-type': JSON_TYPE });
  res.write('{"padding":"');
  const chunk = Buffer.alloc(64 * 1024, 'a');
  const until = Date.now() + ENDLESS_MS;
  for (let sent = 0; sent < ENDLESS_BYTES && Date.now() < until; sent += chunk.length) {
    if (res.destroyed || signal.aborted) break;
    // A client that reads slowly is waited for a little, one that left is not.
    if (!res.write(chunk)) await paused(5, res, signal);
  }
  drop(context);
}
