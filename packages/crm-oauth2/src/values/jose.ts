/** Loads jose when it is first needed. */
import type * as Jose from 'jose' with { 'resolution-mode': 'import' };

let loading: Promise<typeof Jose> | undefined;

/**
 * jose is an ES module. A process that handles opaque tokens only does not load it, and the module is
 * kept, because Node resolves an `import()` anew each time.
 */
export async function loadJose(): Promise<typeof Jose> {
  loading ??= import('jose').catch((error: unknown) => {
    // An import that failed for want of a file handle may succeed the next time.
    loading = undefined;
    throw error;
  });
  return await loading;
}
