/** The faults of one origin: a queue of what goes wrong next, and how each kind spoils an answer. */
import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import type { Context } from 'oidc-provider/lib/provider.js';
import type { Callback } from './dialect.js';
import { markup } from './html.js';
import { HTML_TYPE, JSON_TYPE, type Reply, send, TEXT_TYPE } from './reply.js';
import type { Fault, NamedFault, Step } from './types.js';
import { isObject, merged } from './values.js';

const MEBIBYTE = 1024 * 1024;
const PADDING_BYTES = 16 * MEBIBYTE;

/** How much more than the whole body a `cut` answer promises in its `content-length`. */
const MISSING_BYTES = 64;

const DRIP_INTERVAL_MS = 1_000;
/** Lets what was written reach the client before the connection breaks. */
const BEFORE_BREAK_MS = 20;

/** An `endless` answer ends at these limits, so that a client which never gives up is not served for ever. */
const ENDLESS_LIMIT_BYTES = 64 * MEBIBYTE;
const ENDLESS_LIMIT_MS = 30_000;
const ENDLESS_CHUNK_BYTES = 64 * 1024;
const ENDLESS_PAUSE_MS = 5;

/** A fault that waits for its request. */
interface Queued {
  fault: Fault;
  /** As on the pages of the emulator. */
  label: string;
  /** How many requests it will meet. */
  left: number;
  /** True for one that a person chose on the sign-in page. */
  isRehearsed?: true;
}

/** Queued faults, and the signal that ends those in progress. */
export class Faults {
  #queue: Queued[] = [];
  #inProgress = new AbortController();

  get queued(): readonly Readonly<Queued>[] {
    return this.#queue;
  }

  add(fault: Fault, label = `A fault of the kind ${fault.kind}`): void {
    const left = fault.times ?? 1;
    if (left !== Infinity && (!Number.isInteger(left) || left < 1))
      throw new TypeError('fault.times: must be a whole number, 1 or more, or Infinity');
    this.#queue.push({ fault, label, left });
  }

  /**
   * Queues the fault that a person chose on the sign-in page. It replaces the choice of an earlier sign-in
   * that has not happened yet, because a late failure would surprise.
   */
  rehearse(chosen: NamedFault | undefined): void {
    this.#queue = this.#queue.filter(({ isRehearsed }) => !isRehearsed);
    if (!chosen) return;
    const { fault, label } = chosen;
    this.#queue.push({ fault, label, left: fault.times ?? 1, isRehearsed: true });
  }

  /** Forgets queued faults, and closes the sockets of requests that a fault keeps open. */
  clear(): void {
    this.#queue = [];
    this.#inProgress.abort();
    this.#inProgress = new AbortController();
  }

  /**
   * Uses up one turn of the oldest fault for one of these steps. A fault chosen on the sign-in page meets
   * the first step only, so that one of the API does not spoil the profile of the login.
   */
  take(steps: readonly Step[], matches: (fault: Fault) => boolean): Fault | undefined {
    const entry = this.#queue.find(
      ({ fault, isRehearsed }) =>
        (isRehearsed ? steps[0] === fault.step : steps.includes(fault.step)) && matches(fault),
    );
    if (!entry) return undefined;
    entry.left -= 1;
    if (entry.left === 0) this.#queue.splice(this.#queue.indexOf(entry), 1);
    return entry.fault;
  }

  /** Spoils one answer; `handle` makes the right one. */
  async apply(fault: Fault, context: Context, handle: () => Promise<void>): Promise<void> {
    const { signal } = this.#inProgress;
    switch (fault.kind) {
      case 'slow':
        if (await sleepWhileOpen(fault.delayMs, context.res, signal)) return handle();
        return disconnect(context);
      case 'late':
        await handle();
        if (await sleepWhileOpen(fault.delayMs, context.res, signal)) return;
        return disconnect(context);
      case 'silent':
        context.respond = false;
        await untilClosed(context.res, signal);
        return disconnect(context);
      case 'reset':
        return reset(context);
      case 'reset-after-headers':
        context.respond = false;
        context.res.writeHead(200, { 'content-type': JSON_TYPE, 'content-length': 1024 });
        context.res.flushHeaders();
        await sleepWhileOpen(BEFORE_BREAK_MS, context.res, signal);
        return reset(context);
      case 'drip':
        await handle();
        return drip(context, fault.intervalMs ?? DRIP_INTERVAL_MS, signal);
      case 'cut':
        await handle();
        return cut(context, signal);
      case 'endless':
        return endless(context, signal);
      case 'huge':
        await handle();
        context.body = padded(context.body, fault.bytes);
        return;
      case 'gzip':
        await handle();
        context.set('content-encoding', 'gzip');
        context.type = JSON_TYPE;
        context.body = gzipSync(JSON.stringify(padded(context.body, fault.bytes)));
        return;
      case 'html':
        return send(context, page(fault));
      case 'status':
        return send(context, errorStatus(fault));
      case 'redirect':
        return send(context, {
          status: fault.status ?? 302,
          headers: { location: fault.location },
          type: TEXT_TYPE,
          body: 'Moved',
        });
      case 'wrong-content-type':
        await handle();
        context.body = asText(context.body);
        context.set('content-type', fault.contentType ?? HTML_TYPE);
        return;
      case 'empty':
        return send(context, jsonText(''));
      case 'not-json':
        return send(context, jsonText(BROKEN_JSON));
      case 'json':
        return send(context, jsonText(JSON.stringify(fault.body), fault.status));
      case 'patch':
        await handle();
        if (isObject(context.body)) context.body = merged(context.body, fault.merge);
        return;
      case 'no-parameters':
      case 'fragment':
      case 'wrong-signature':
      case 'not-offline':
      case 'id-token':
        // The first two change the callback, and do not come here. The others change the token
        // response where it is made.
        context.state['fault'] = fault;
        return handle();
    }
  }
}

/** Tells whether a fault changes the parameters of the callback, or the place of them. */
export function isOfCallback({ step, kind }: Fault): boolean {
  if (kind === 'no-parameters' || kind === 'fragment') return true;
  return kind === 'patch' && (step === 'authorize' || step === 'callback');
}

/** The callback as a fault makes it. */
export function callbackAfter(fault: Fault, callback: Callback): Callback {
  if (fault.kind === 'no-parameters') return { ...callback, params: {} };
  if (fault.kind === 'fragment') return { ...callback, isInFragment: true };
  if (fault.kind !== 'patch') return callback;
  const patched = Object.entries(merged(callback.params, fault.merge));
  const params = Object.fromEntries(patched.map(([name, value]) => [name, asText(value)]));
  return { ...callback, params };
}

function page({ status = 200, title = 'Maintenance' }: Extract<Fault, { kind: 'html' }>): Reply {
  return { status, type: HTML_TYPE, body: markup`<!doctype html><title>${title}</title>`.text };
}

function jsonText(body: string, status = 200): Reply {
  return { status, type: JSON_TYPE, body };
}

const BROKEN_JSON = '{"access_token": "cut-off-in-the-mid';

function errorStatus(fault: Extract<Fault, { kind: 'status' }>): Reply {
  const { status, retryAfter, body = { error: 'emulated_fault' } } = fault;
  const retry = retryAfter !== undefined && { 'retry-after': String(retryAfter) };
  const type = typeof body === 'string' ? TEXT_TYPE : JSON_TYPE;
  return { status, headers: { ...fault.headers, ...retry }, type, body: asText(body) };
}

function padded(body: unknown, bytes = PADDING_BYTES): Record<string, unknown> {
  return { padding: 'a'.repeat(bytes), ...(isObject(body) ? body : {}) };
}

function asText(body: unknown): string {
  return typeof body === 'string' ? body : JSON.stringify(body ?? '');
}

/** Closes the connection, whether or not the answer is complete. */
function disconnect(context: Context): void {
  context.respond = false;
  context.res.socket?.destroy();
}

/** Breaks the connection with a TCP reset. */
function reset(context: Context): void {
  context.respond = false;
  context.res.socket?.resetAndDestroy();
}

/** Returns false when the client left or the faults were cleared before the time was over. */
async function sleepWhileOpen(
  ms: number,
  response: ServerResponse,
  signal: AbortSignal,
): Promise<boolean> {
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

async function untilClosed(response: ServerResponse, signal: AbortSignal): Promise<void> {
  if (response.destroyed || signal.aborted) return;
  await once(response, 'close', { signal }).catch(() => undefined);
}

/** Sends the headers, with a `content-length` that need not be true; the caller writes the body. */
function beginAnswer(context: Context, body: Buffer, length: number): ServerResponse {
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
  const body = Buffer.from(asText(context.body));
  const response = beginAnswer(context, body, body.length);
  for (const byte of body) {
    if (!(await sleepWhileOpen(intervalMs, response, signal))) return disconnect(context);
    response.write(Buffer.of(byte));
  }
  response.end();
}

async function cut(context: Context, signal: AbortSignal): Promise<void> {
  const body = Buffer.from(asText(context.body));
  const response = beginAnswer(context, body, body.length + MISSING_BYTES);
  response.write(body.subarray(0, Math.ceil(body.length / 2)));
  await sleepWhileOpen(BEFORE_BREAK_MS, response, signal);
  disconnect(context);
}

async function endless(context: Context, signal: AbortSignal): Promise<void> {
  const { res } = context;
  context.respond = false;
  res.writeHead(200, { 'content-type': JSON_TYPE });
  res.write('{"padding":"');
  const chunk = Buffer.alloc(ENDLESS_CHUNK_BYTES, 'a');
  const endsAt = Date.now() + ENDLESS_LIMIT_MS;
  for (let sent = 0; sent < ENDLESS_LIMIT_BYTES && Date.now() < endsAt; sent += chunk.length) {
    if (res.destroyed || signal.aborted) break;
    // Gives a slow reader time, so that the chunks do not pile up in memory.
    if (!res.write(chunk)) await sleepWhileOpen(ENDLESS_PAUSE_MS, res, signal);
  }
  disconnect(context);
}
