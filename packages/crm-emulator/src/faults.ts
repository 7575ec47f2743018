/** The faults of one origin: a queue of what goes wrong next, and how each kind spoils an answer. */
import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import type { Context } from 'oidc-provider/lib/provider.js';
import type { Callback, Dialect } from './dialect.js';
import { markup } from './html.js';
import { HTML_TYPE, JSON_TYPE, type Reply, send, TEXT_TYPE } from './reply.js';
import type { Fault, FaultChanges, NamedFault, Step } from './types.js';
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
  readonly #provider: Dialect;

  constructor(provider: Dialect) {
    this.#provider = provider;
  }

  get queued(): readonly Readonly<Queued>[] {
    return this.#queue;
  }

  /** Queues a fault, unless this provider cannot have it. */
  add(fault: Fault, label = `A fault of the kind ${fault.kind}`): void {
    const { name, endpoints, signedFaults = [] } = this.#provider;
    const { step, kind, times: left = 1 } = fault;
    const known = [...endpoints.flatMap(({ steps }) => steps), 'callback', 'refresh'];
    if (!known.includes(step)) throw new TypeError(`fault.step: ${name} has no step "${step}"`);
    const isSigned = kind === 'id-token' || kind === 'wrong-signature' || kind === 'not-offline';
    if (isSigned && !signedFaults.includes(kind))
      throw new TypeError(`fault.kind: ${name} has no fault of the kind "${kind}"`);
    if (left !== Infinity && (!Number.isInteger(left) || left < 1))
      throw new TypeError('fault.times: must be a whole number, 1 or more, or Infinity');
    this.#queue.push({ fault, label, left });
  }

  /** Queues the fault of a name, with the changes that it has a field for. */
  addNamed(asked: string, changes: FaultChanges = {}): void {
    const { name, faults } = this.#provider;
    if (!Object.hasOwn(faults, asked))
      throw new TypeError(`fail: ${name} has no fault named "${asked}"`);
    const { fault, label } = faults[asked]!;
    if (changes.delayMs !== undefined && !('delayMs' in fault))
      throw new TypeError(`delayMs: "${asked}" has no delay`);
    if (changes.retryAfter !== undefined && fault.kind !== 'status')
      throw new TypeError(`retryAfter: "${asked}" has no such header`);
    this.add({ ...fault, ...changes }, label);
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
  #take(steps: readonly Step[], matches: (fault: Fault) => boolean): Fault | undefined {
    const entry = this.#queue.find(
      ({ fault, isRehearsed }) =>
        (isRehearsed ? steps[0] === fault.step : steps.includes(fault.step)) && matches(fault),
    );
    if (!entry) return undefined;
    entry.left -= 1;
    if (entry.left === 0) this.#queue.splice(this.#queue.indexOf(entry), 1);
    return entry.fault;
  }

  /** Spoils the callback, if a fault waits for it. */
  spoilCallback(callback: Callback): Callback {
    const fault = this.#take(['callback', 'authorize'], isOfCallback);
    return fault ? callbackAfter(fault, callback) : callback;
  }

  /** Spoils the answer to a request of these steps, if a fault waits for it; `handle` makes the right one. */
  async spoil(steps: readonly Step[], context: Context, handle: () => Promise<void>) {
    const fault = this.#take(steps, (one) => !isOfCallback(one));
    return fault ? this.#apply(fault, context, handle) : handle();
  }

  async #apply(fault: Fault, context: Context, handle: () => Promise<void>): Promise<void> {
    const over = AbortSignal.any([this.#inProgress.signal, whenClosed(context.res)]);
    switch (fault.kind) {
      case 'slow':
        if (await waited(fault.delayMs, over)) return handle();
        return disconnect(context);
      case 'late':
        await handle();
        if (await waited(fault.delayMs, over)) return;
        return disconnect(context);
      case 'silent':
        context.respond = false;
        if (!over.aborted) await once(over, 'abort');
        return disconnect(context);
      case 'reset':
        return reset(context);
      case 'reset-after-headers':
        context.respond = false;
        context.res.writeHead(200, { 'content-type': JSON_TYPE, 'content-length': 1024 });
        context.res.flushHeaders();
        await waited(BEFORE_BREAK_MS, over);
        return reset(context);
      case 'drip':
        await handle();
        return drip(context, fault.intervalMs ?? DRIP_INTERVAL_MS, over);
      case 'cut':
        await handle();
        return cut(context, over);
      case 'endless':
        return endless(context, over);
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
      case 'wrong-content-type':
        await handle();
        context.body = asText(context.body);
        context.set('content-type', fault.contentType ?? HTML_TYPE);
        return;
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
      case 'html': {
        const { status = 200, title = 'Maintenance' } = fault;
        const body = markup`<!doctype html><title>${title}</title>`.text;
        return send(context, { status, type: HTML_TYPE, body });
      }
      case 'status':
        return send(context, errorStatus(fault));
      case 'redirect': {
        const { status = 302, location } = fault;
        return send(context, { status, headers: { location }, type: TEXT_TYPE, body: 'Moved' });
      }
      case 'empty':
        return send(context, jsonText(''));
      case 'not-json':
        return send(context, jsonText(BROKEN_JSON));
      case 'json':
        return send(context, jsonText(JSON.stringify(fault.body), fault.status));
    }
  }
}

/** Tells whether a fault changes the parameters of the callback, or the place of them. */
function isOfCallback({ step, kind }: Fault): boolean {
  if (kind === 'no-parameters' || kind === 'fragment') return true;
  return kind === 'patch' && (step === 'authorize' || step === 'callback');
}

/** The callback as a fault makes it. */
function callbackAfter(fault: Fault, callback: Callback): Callback {
  if (fault.kind === 'no-parameters') return { ...callback, params: {} };
  if (fault.kind === 'fragment') return { ...callback, isInFragment: true };
  if (fault.kind !== 'patch') return callback;
  const patched = Object.entries(merged(callback.params, fault.merge));
  const params = Object.fromEntries(patched.map(([name, value]) => [name, asText(value)]));
  return { ...callback, params };
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

/** Aborts when the answer is complete, or the client has left. */
function whenClosed(response: ServerResponse): AbortSignal {
  const closed = new AbortController();
  if (response.destroyed) closed.abort();
  response.once('close', () => closed.abort());
  return closed.signal;
}

/** Returns false when the request was over before the time was. */
async function waited(ms: number, over: AbortSignal): Promise<boolean> {
  return sleep(ms, true, { signal: over }).catch(() => false);
}

/** Sends the headers, with a `content-length` of some bytes too many; the caller writes the body. */
function beginAnswer(context: Context, missingBytes = 0): Buffer {
  const { res, status } = context;
  const body = Buffer.from(asText(context.body));
  context.respond = false;
  res.removeHeader('transfer-encoding');
  if (!res.hasHeader('content-type')) res.setHeader('content-type', JSON_TYPE);
  res.setHeader('content-length', body.length + missingBytes);
  res.statusCode = body.length > 0 && status === 204 ? 200 : status;
  res.flushHeaders();
  return body;
}

async function drip(context: Context, intervalMs: number, over: AbortSignal): Promise<void> {
  for (const byte of beginAnswer(context)) {
    if (!(await waited(intervalMs, over))) return disconnect(context);
    context.res.write(Buffer.of(byte));
  }
  context.res.end();
}

async function cut(context: Context, over: AbortSignal): Promise<void> {
  const body = beginAnswer(context, MISSING_BYTES);
  context.res.write(body.subarray(0, Math.ceil(body.length / 2)));
  await waited(BEFORE_BREAK_MS, over);
  disconnect(context);
}

async function endless(context: Context, over: AbortSignal): Promise<void> {
  const { res } = context;
  context.respond = false;
  res.writeHead(200, { 'content-type': JSON_TYPE });
  res.write('{"padding":"');
  const chunk = Buffer.alloc(ENDLESS_CHUNK_BYTES, 'a');
  const endsAt = Date.now() + ENDLESS_LIMIT_MS;
  for (let sent = 0; sent < ENDLESS_LIMIT_BYTES && Date.now() < endsAt; sent += chunk.length) {
    if (over.aborted) break;
    // Gives a slow reader time, so that the chunks do not pile up in memory.
    if (!res.write(chunk)) await waited(ENDLESS_PAUSE_MS, over);
  }
  disconnect(context);
}
