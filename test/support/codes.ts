/** An error of the family, as a test looks at it. */
export interface Coded extends Error {
  code: string;
  provider: string;
  stage: string;
  host?: string;
  status?: number;
  hint?: string;
  retryAfterSeconds?: number;
}

export function isCoded(error: unknown): error is Coded {
  return error instanceof Error && typeof Reflect.get(error, 'code') === 'string';
}

/** The error a promise is rejected with. */
export async function rejection(promise: Promise<unknown>): Promise<Coded> {
  try {
    await promise;
  } catch (error) {
    if (isCoded(error)) return error;
    throw error;
  }
  throw new Error('was expected to be rejected');
}
