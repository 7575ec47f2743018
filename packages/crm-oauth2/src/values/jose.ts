/**
 * jose, loaded when it is first needed, and asked for once: it is an ES module, Node resolves an
 * `import()` anew each time, and whoever handles opaque tokens only must not pay for it.
 */
type Jose = typeof import('jose', { with: { 'resolution-mode': 'import' } });

let jose: Promise<Jose> | undefined;

export async function loadJose(): Promise<Jose> {
  jose ??= import('jose').catch((error: unknown) => {
    // What failed once, for want of a file handle, may succeed the next time.
    jose = undefined;
    throw error;
  });
  return await jose;
}
