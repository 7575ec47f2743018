/**
 * Runs before `npm start` and `npm test`: installs and builds what is missing, and nothing else.
 * On an up-to-date checkout it costs about a second.
 */
'use strict';
const { execFileSync } = require('node:child_process');
const { existsSync, statSync } = require('node:fs');
const { join } = require('node:path');
const { ROOT, projects } = require('./packages');

const at = (...path) => join(ROOT, ...path);

/** npm writes this file at the end of an installation, so it is older than a lock that changed. */
function isInstalled() {
  const installed = at('node_modules', '.package-lock.json');
  return (
    existsSync(installed) &&
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
  run('Installing dependencies (once)…', npm, [
    'ci',
    '--no-audit',
    '--no-fund',
    '--loglevel=error',
  ]);
}
run('', at('node_modules', 'typescript', 'bin', 'tsc'), ['-b', ...projects()]);
run('', at('scripts', 'bundle.js'), []);
