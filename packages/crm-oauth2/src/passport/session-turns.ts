/** Starts of logins in one session, one after the other: tabs that a browser opens at the same moment. */
import type { ServerResponse } from 'node:http';
import { LruMap } from '../values/lru-map';
import { calledBack } from './called-back';
import { isRecord } from './request';
import type { PassportRequest, PassportResponse } from './request';

/** A start waits so long for the one before it. After that, one of the two attempts may be lost. */
const MAX_WAIT_MS = 3000;

/** The latest starts of one store, which are remembered. */
const MAX_STARTS = 1000;

type Response = Partial<ServerResponse>;

/**
 * The response of the latest start of each session, by session store and session id. It is held weakly:
 * nothing can be waited for once the application and its server have let go of it.
 */
const starts = new WeakMap<object, LruMap<string, WeakRef<Response>>>();

/** As express-session puts them on the request. */
interface SharedSession {
  sessionID: string;
  sessionStore: { get(id: string, done: (error?: unknown, stored?: unknown) => void): unknown };
}

/**
 * Each request has a copy of the session of its own, which is loaded when the request comes, and stored
 * as its response ends: of two copies, the later one stays. So a start waits for the response of the
 * start before it, and gets the session as it is stored by then. A start on its own costs nothing.
 *
 * @param begin called with the stored session after another start. It gets nothing when the store fails:
 * the session library meets the same failure.
 */
export function inTurn(
  req: PassportRequest,
  response: PassportResponse | undefined,
  begin: (stored?: unknown) => void,
): void | Promise<void> {
  const { sessionID: id, sessionStore: store } = req as PassportRequest & Partial<SharedSession>;
  const res: unknown = response ?? req.res;
  const isShared = typeof id === 'string' && typeof store?.get === 'function';
  if (!isShared || !isRecord(res)) return begin();
  const ofStore = starts.get(store) ?? new LruMap<string, WeakRef<Response>>(MAX_STARTS);
  starts.set(store, ofStore);
  const before = ofStore.get(id)?.deref();
  ofStore.set(id, new WeakRef<Response>(res));
  if (before === undefined || before === res || !mayEndLater(before)) return begin();
  const over = new Promise<void>((resolve) => {
    // Serverless adapters finish a response, and never close it.
    for (const event of ['finish', 'close']) before.once?.(event, resolve);
    setTimeout(resolve, MAX_WAIT_MS).unref();
  });
  return over
    .then(() => calledBack((done) => store.get(id, done)))
    .catch(() => undefined)
    .then(begin);
}

/** False where the response does not say: its end may be over, and would be waited for in vain. */
function mayEndLater(response: Response): boolean {
  const { once, closed, writableEnded, writableFinished = writableEnded } = response;
  return typeof once === 'function' && closed !== true && writableFinished === false;
}
