/** Ends one call of `authorizedFetch`: at its timeout, or when the caller aborts it. */
import { Deadline } from '../wire/deadline';

export type CallLimit = ReturnType<typeof callLimit>;

/**
 * By hand, because Node may collect the signal that `AbortSignal.any` returns while a body is still
 * being read. The body then never ends.
 */
export function callLimit(timeout: number, callersSignal?: AbortSignal | null) {
  const deadline = new Deadline(timeout);
  const end = new AbortController();
  /** Aborted at the end; for requests, pauses and bodies. */
  const signal: AbortSignal = end.signal;

  /**
   * Lets go of the timer, and of the caller's signal, which may live long. Nothing is aborted, because
   * a clone of the answer may still be read.
   */
  const release = () => {
    clearTimeout(timer);
    callersSignal?.removeEventListener('abort', followCaller);
  };
  let rejectSteps = (_reason: unknown): void => undefined;
  const aborted = new Promise<never>((_resolve, reject) => {
    rejectSteps = reject;
  });
  // The end may come between two steps, or while the caller reads the body.
  aborted.catch(() => undefined);

  const abort = (reason: unknown) => {
    release();
    end.abort(reason);
    rejectSteps(signal.reason);
  };
  const followCaller = () => abort(callersSignal?.reason);
  const stop = () => abort(new DOMException(`not finished within ${timeout} ms`, 'TimeoutError'));
  const timer = setTimeout(stop, timeout).unref();
  if (callersSignal?.aborted) followCaller();
  else callersSignal?.addEventListener('abort', followCaller);

  /**
   * Runs one step of the call. A failure releases the limit, since no step comes after it.
   *
   * @throws the reason of the caller's signal, as it is; {@link Problem} `timeout`; the step's error
   */
  const run = async <T>(step: () => Promise<T>): Promise<T> => {
    try {
      signal.throwIfAborted();
      return await Promise.race([step(), aborted]);
    } catch (error) {
      release();
      if (!signal.aborted) throw error;
      throw signal.reason === callersSignal?.reason ? signal.reason : deadline.problem();
    }
  };

  return { deadline, signal, run, release };
}
