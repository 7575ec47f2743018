/** Ends one call of `authorizedFetch`: at its timeout, or when the caller aborts it. */
import { Deadline } from '../wire/deadline';

export interface CallLimit {
  readonly deadline: Deadline;
  /** Aborted at the end; for requests, pauses and bodies. */
  readonly signal: AbortSignal;
  /**
   * Runs one step of the call. A failure releases the limit, since no step comes after it.
   *
   * @throws the reason of the caller's signal, as it is; {@link Problem} `timeout`; the step's error
   */
  run<T>(step: () => Promise<T>): Promise<T>;
  /**
   * Lets go of the timer, and of the caller's signal, which may live long. Nothing is aborted, because
   * a clone of the answer may still be read.
   */
  release(): void;
}

/**
 * By hand, because Node may collect the signal that `AbortSignal.any` returns while a body is still
 * being read. The body then never ends.
 */
export function callLimit(timeout: number, callersSignal?: AbortSignal | null): CallLimit {
  const deadline = new Deadline(timeout);
  const end = new AbortController();
  const { signal } = end;

  const release = (): void => {
    clearTimeout(timer);
    callersSignal?.removeEventListener('abort', followCaller);
  };
  const abort = (reason: unknown) => {
    release();
    end.abort(reason);
  };
  const followCaller = () => abort(callersSignal?.reason);
  const stop = () => abort(new DOMException(`not finished within ${timeout} ms`, 'TimeoutError'));
  const timer = setTimeout(stop, timeout).unref();
  if (callersSignal?.aborted) followCaller();
  else callersSignal?.addEventListener('abort', followCaller);

  const run = async <T>(step: () => Promise<T>): Promise<T> => {
    try {
      return await unlessAborted(signal, step);
    } catch (error) {
      release();
      if (!signal.aborted) throw error;
      throw signal.reason === callersSignal?.reason ? signal.reason : deadline.problem();
    }
  };

  return { deadline, signal, run, release };
}

/** @throws the signal's reason, when that comes first */
async function unlessAborted<T>(signal: AbortSignal, step: () => Promise<T>): Promise<T> {
  signal.throwIfAborted();
  let stop = (): void => undefined;
  const aborted = new Promise<never>((_resolve, reject) => {
    stop = () => reject(signal.reason as Error);
    signal.addEventListener('abort', stop);
  });
  try {
    return await Promise.race([step(), aborted]);
  } finally {
    signal.removeEventListener('abort', stop);
  }
}
