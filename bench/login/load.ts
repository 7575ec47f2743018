/** Loads one package in a fresh process: `node load.js <from> <package>`. */
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';

export interface Loading {
  ms: number;
  /** CommonJS modules. */
  modules: number;
  /** Bytes. */
  rss: number;
}

const [, , from = '', name = ''] = process.argv;
const before = process.memoryUsage().rss;

async function load(): Promise<void> {
  const requireFrom = createRequire(from);
  const began = performance.now();
  if (name === 'openid-client') await import(pathToFileURL(requireFrom.resolve(name)).href);
  else requireFrom(name);
  const ms = performance.now() - began;
  const modules = Object.keys(requireFrom.cache).length - 1;
  const loading: Loading = { ms, modules, rss: process.memoryUsage().rss - before };
  console.log(JSON.stringify(loading));
}

load().catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
