/**
 * Runs before `npm start` and `npm test`: installs and builds what is missing, and nothing else.
 * On an up-to-date checkout it costs less than half a second. With `--start`, it leaves out what only tests and
 * development need.
 */
'use strict';
const { execFileSync } = require('node:child_process');
const { existsSync, readdirSync, statSync } = require('node:fs');
const { join } = require('node:path');
const { PACKAGES, ROOT, STARTED, projects } = require('./packages');

const at = (...path) => join(ROOT, ...path);

const isForStart = process.argv.includes('--start');

/** npm writes this file at the end of an installation, so it is older than a lock that changed. */
function isInstalled() {
  const installed = at('node_modules', '.package-lock.json');
  return (
    existsSync(installed) &&
    (isForStart || existsSync(at('node_modules', 'mocha'))) &&
    changedAt(installed) >= changedAt(at('package-lock.json'))
  );
}

/** Bundles take half of the time here. They last until the compiler, or a package that is built in, has news. */
function isBundled() {
  const made = PACKAGES.flatMap(({ folder }) => {
    const lib = at(folder, 'lib');
    return existsSync(lib) ? readdirSync(lib).map((name) => changedAt(join(lib, name))) : [0];
  });
  const sources = [
    ...PACKAGES.map(({ folder }) => at(folder, 'tsconfig.tsbuildinfo')),
    ...PACKAGES.map(({ folder }) => at(folder, 'package.json')),
    at('package-lock.json'),
    at('scripts', 'bundle.js'),
  ];
  return Math.min(...made) > Math.max(...sources.map(changedAt));
}

const changedAt = (file) => statSync(file).mtimeMs;

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
if (!isBundled()) run('', at('scripts', 'bundle.js'), []);
