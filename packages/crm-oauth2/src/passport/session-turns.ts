/** Starts of logins in one session, one after the other: tabs that a browser opens at the same moment. */
import type { ServerResponse } from 'node:http';
import { calledBack } from './called-back';
import type { PassportRequest, PassportResponse } from './request';

/** A start waits so long for the one before it. After that, one of the two attempts may be lost. */
const MAX_WAIT_MS = 3000;

/** Starts of one store that are remembered. Where responses never end, the oldest are forgotten. */
const MAX_STARTS = 10_000;

/** A start is over with its response. Only the next start of its session waits for that. */
interface Start {
  whenOver: (() => void) | undefined;
}

/** The latest start of each session, by session store and session id. */
const starts = new WeakMap<object, Map<string, Start>>();

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
  const res = Object(response ?? req.res) as Partial<ServerResponse>;
  if (!isShared(req) || typeof res.once !== 'function' || res.closed === true) return begin();
  const { sessionStore: store, sessionID: id } = req;
  const ofStore = starts.get(store) ?? new Map<string, Start>();
  starts.set(store, ofStore);
  const before = ofStore.get(id);
  const start: Start = { whenOver: undefined };
  ofStore.set(id, start);
  if (ofStore.size > MAX_STARTS) ofStore.delete(ofStore.keys().next().value as string);
  const end = () => {
    if (ofStore.get(id) === start) ofStore.delete(id);
    start.whenOver?.();
  };
  // Serverless adapters finish a response, and never close it.
  for (const event of ['finish', 'close']) res.once(event, end);
  if (before === undefined) return begin();
  const turn = new Promise<void>((resolve) => {
    before.whenOver = resolve;
    setTimeout(resolve, MAX_WAIT_MS).unref();
  });
  return turn
    .then(() => calledBack((done) => store.get(id, done)))
    .catch(() => undefined)
    .then(begin);
}

function isShared(req: object): req is SharedSession {
  const { sessionID, sessionStore } = req as Partial<SharedSession>;
  return typeof sessionID === 'string' && typeof sessionStore?.get === 'function';
}
