/** Loads one package in a fresh process: `node load.js <from> <package>`. */
'use strict';
const { createRequire } = require('node:module');
const { pathToFileURL } = require('node:url');

const [, , from, name] = process.argv;
const before = process.memoryUsage().rss;

async function load() {
  const require = createRequire(from);
  const began = performance.now();
  if (name === 'openid-client') await import(pathToFileURL(require.resolve(name)).href);
  else require(name);
  const ms = performance.now() - began;
  const modules = Object.keys(require.cache).length - 1;
  console.log(JSON.stringify({ ms, modules, rss: process.memoryUsage().rss - before }));
}

load().catch((error) => {
  console.error(error);
  process.exitCode = 1;
});
