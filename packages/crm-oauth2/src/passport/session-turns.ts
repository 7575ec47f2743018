/** Starts of logins in one session, one after the other: tabs that a browser opens at the same moment. */
import type { ServerResponse } from 'node:http';
import { LruMap } from '../values/lru-map';
import { calledBack } from './called-back';
import { isRecord } from './request';
import type { PassportRequest, PassportResponse } from './request';

/** A start waits so long for those before it. After that, one of the attempts may be lost. */
const MAX_WAIT_MS = 3000;

/** At least so many starts are remembered for each session store, the latest ones. */
const MAX_STARTS = 1000;

type Response = Partial<ServerResponse>;

interface Start {
  /** Held weakly. Once nothing else holds a response, it can no longer end. */
  response: WeakRef<Response>;
  state: string;
  /** Of a start that waits, or has waited, for the one before it. */
  turn: Promise<void> | undefined;
}

/** The latest start of each session, by session store and session id. */
const starts = new WeakMap<object, LruMap<string, Start>>();

/** As express-session puts them on the request. */
interface SharedSession {
  sessionID: string;
  sessionStore: { get(id: string, done: (error?: unknown, stored?: unknown) => void): unknown };
}

/** One start, as its store carries it out. */
interface Turn {
  /** The `state` of the login. */
  state: string;
  /** `true` when the session of this request has the login of another start. */
  has(state: string): boolean;
  /**
   * Called with the stored session when that of this request lacks the login of the start before. It gets
   * nothing when the store fails: the session library meets the same failure.
   */
  begin(stored?: unknown): void;
}

/**
 * Each request has a copy of the session of its own, which is loaded when the request comes, and stored
 * as its response ends: the copy that is stored last wins. So a start whose copy lacks the login of the
 * start before it waits for the response of that start, and reads the session as it is stored by then.
 * The first start in a session reads nothing and waits for nothing.
 */
export function inTurn(
  req: PassportRequest,
  response: PassportResponse | undefined,
  { state, has, begin }: Turn,
): void | Promise<void> {
  const { sessionID: id, sessionStore: store } = req as PassportRequest & Partial<SharedSession>;
  const res: unknown = response ?? req.res;
  const isShared = typeof id === 'string' && typeof store?.get === 'function';
  if (!isShared || !isRecord(res)) return begin();
  const ofStore = starts.get(store) ?? new LruMap<string, Start>(MAX_STARTS);
  starts.set(store, ofStore);
  const before = ofStore.get(id);
  const start: Start = { response: new WeakRef<Response>(res), state, turn: undefined };
  ofStore.set(id, start);
  if (before === undefined || has(before.state)) return begin();
  start.turn = endOf(before)
    .then(() => calledBack((done) => store.get(id, done)))
    .catch(() => undefined)
    .then(begin);
  return start.turn;
}

/** Waits until a start has had its turn, and its response has ended. */
function endOf({ turn, response }: Start): Promise<void> {
  return new Promise((resolve) => {
    const wait = async () => await endOfResponse(response.deref() ?? {});
    Promise.resolve(turn).then(wait, wait).then(resolve, resolve);
    setTimeout(resolve, MAX_WAIT_MS).unref();
  });
}

/** Waits for the end of a response. One that does not say whether it has ended may be over already. */
async function endOfResponse(response: Response): Promise<void> {
  const { once, closed, writableEnded, writableFinished } = response;
  // In some serverless adapters, a response that has ended never counts as finished. In HTTP/2, one that
  // was broken off counts as finished, and never as ended or closed.
  const isOpen = writableEnded === false && writableFinished !== true && closed !== true;
  if (!isOpen || typeof once !== 'function') return;
  await new Promise<void>((resolve) => {
    for (const event of ['finish', 'close']) response.once?.(event, resolve);
  });
}
