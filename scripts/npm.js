/** Runs npm to its end, and returns its output, on failure too. */
'use strict';
const { execFile } = require('node:child_process');
const { existsSync } = require('node:fs');

const OUTPUT_LIMIT_BYTES = 64 * 1024 * 1024;
const MINUTE_MS = 60_000;

/** The npm that runs this script, or the one in the path. */
function command() {
  const script = process.env.npm_execpath;
  return script !== undefined && existsSync(script) && /\.[cm]?js$/.test(script)
    ? { file: process.execPath, first: [script] }
    : { file: 'npm', first: [], shell: process.platform === 'win32' };
}

/** Runs a program: `{ status, stdout, stderr }`; `status` is not 0 when it failed or did not end in time. */
function run(file, parameters, { cwd, minutes = 1, ...options } = {}) {
  const settings = { cwd, timeout: minutes * MINUTE_MS, maxBuffer: OUTPUT_LIMIT_BYTES, ...options };
  return new Promise((resolve) => {
    execFile(file, parameters, settings, (error, stdout, stderr) => {
      const status = typeof error?.code === 'number' ? error.code : 1;
      resolve({ status: error ? status : 0, stdout, stderr });
    });
  });
}

/** @param options of {@link run} */
async function npm(parameters, options = {}) {
  const { file, first, shell } = command();
  const quiet = ['--loglevel=error', '--update-notifier=false'];
  return await run(file, [...first, ...quiet, ...parameters], { shell, ...options });
}

module.exports = { npm, run };
