/** Ends one call of `authorizedFetch`: when it takes too long, or when the caller aborts it. */
import { Problem } from '../errors/problem';
import { Deadline } from '../wire/deadline';

export type CallLimit = ReturnType<typeof callLimit>;

/**
 * By hand, because Node may collect the signal that `AbortSignal.any` returns while a body is still
 * being read. The body then never ends.
 *
 * @param timeout milliseconds until the answer must have begun
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
  const abortIn = (milliseconds: number, problem: () => Problem) =>
    setTimeout(() => abort(problem()), milliseconds).unref();
  let timer = abortIn(timeout, () => deadline.problem());
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
      throw signal.aborted ? signal.reason : error;
    }
  };

  /** The answer has begun: from now on, time counts only while its bytes are awaited. */
  const answered = () => clearTimeout(timer);

  /**
   * Waits for the next bytes of the answer.
   *
   * @throws as `run`, with {@link Problem} `incomplete_response` in place of `timeout`
   */
  const awaitBytes = async <T>(milliseconds: number, step: () => Promise<T>): Promise<T> => {
    const message = `no byte of the answer came within ${milliseconds} ms`;
    timer = abortIn(milliseconds, () => new Problem('incomplete_response', message));
    return await run(step).finally(answered);
  };

  return { deadline, signal, run, answered, awaitBytes, release };
}
