/** Functions that call back, as promises. */

/** The value that a function passes to its callback; a promise that it returns may reject. */
export function calledBack<T>(
  call: (done: (error?: unknown, value?: T) => void) => unknown,
): Promise<T | undefined> {
  return new Promise((resolve, reject) => {
    const done = (error?: unknown, value?: T) => (error ? reject(error) : resolve(value));
    Promise.resolve(call(done)).catch(reject);
  });
}
