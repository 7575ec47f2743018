/**
 * Runs before `npm start` and `npm test`: installs and builds what is missing, and nothing else.
 * On an up-to-date checkout it costs about a second. With `--start`, it leaves out what only tests and
 * development need.
 */
'use strict';
const { execFileSync } = require('node:child_process');
const { existsSync, statSync } = require('node:fs');
const { join } = require('node:path');
const { ROOT, STARTED, projects } = require('./packages');

const at = (...path) => join(ROOT, ...path);

const isForStart = process.argv.includes('--start');

/** npm writes this file at the end of an installation, so it is older than a lock that changed. */
function isInstalled() {
  const installed = at('node_modules', '.package-lock.json');
  return (
    existsSync(installed) &&
    (isForStart || existsSync(at('node_modules', 'mocha'))) &&
    statSync(installed).mtimeMs >= statSync(at('package-lock.json')).mtimeMs
  );
}

function run(what, file, parameters) {
  if (what) console.log(what);
  try {
    execFileSync(process.execPath, [file, ...parameters], { cwd: ROOT, stdio: 'inherit' });
  } catch (error) {
    process.exit(typeof error.status === 'number' ? error.status : 1);
  }
}

const npm = process.env.npm_execpath;
if (!isInstalled()) {
  if (!npm) {
    console.error('Run this through npm: npm start, or npm test.');
    process.exit(1);
  }
  const parts = STARTED.flatMap((folder) => ['--workspace', folder]);
  run('Installing dependencies (once)…', npm, [
    'ci',
    '--no-audit',
    '--no-fund',
    '--loglevel=error',
    ...(isForStart ? ['--include-workspace-root', ...parts] : []),
  ]);
}
const isBuilt = existsSync(at('examples', 'express-login', 'dist', 'server.js'));
const built = isForStart ? STARTED : projects();
const tsc = at('node_modules', 'typescript', 'bin', 'tsc');
run(isBuilt ? '' : 'Building (once)…', tsc, ['-b', ...built]);
run('', at('scripts', 'bundle.js'), []);
