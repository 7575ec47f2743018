/**
 * Runs a program of this folder in a project made for it: `node examples/frameworks/run.js koa`. Without
 * SALESFORCE_CLIENT_ID the emulator plays Salesforce.
 */
'use strict';
const { execFileSync, spawn } = require('node:child_process');
const { once } = require('node:events');
const fs = require('node:fs');
const { tmpdir } = require('node:os');
const { dirname, join } = require('node:path');

const ROOT = join(__dirname, '../..');
/** The frameworks are installed there, and not by `npm install` at the top: `npm start` needs none of them. */
const FRAMEWORKS = join(ROOT, 'test/packaging/frameworks');
const INSTALL_LIMIT_MS = 300_000;

const FAMILY = ['crm-oauth2', 'passport-salesforce-oauth2'];

/** Next's part for one route, so that its file runs without Next. */
const SERVE_ROUTE = `import { serve } from '@hono/node-server';
import * as route from './app/[[...path]]/route.js';
const { PORT, BASE_URL } = process.env;
serve({ fetch: (request) => route[request.method](request), port: Number(PORT) });
console.log('Open ' + BASE_URL);
`;

/** By name: the file to run, what to copy into the project, and what else is odd about it. */
const PROGRAMS = {
  'express-4': { main: 'express.js', copy: 'express.js' },
  'express-5': { main: 'express.js', copy: 'express.js', links: { express: 'express5' } },
  'fastify-session': { main: 'fastify-session.mjs', copy: 'fastify-session.mjs' },
  'fastify-secure-session': {
    main: 'fastify-secure-session.mjs',
    copy: 'fastify-secure-session.mjs',
  },
  koa: { main: 'koa.mjs', copy: 'koa.mjs' },
  'nest-express': { main: 'dist/main-express.js', copy: 'nest', compile: true },
  'nest-fastify': { main: 'dist/main-fastify.js', copy: 'nest', compile: true },
  hono: { main: 'hono.mjs', copy: 'hono.mjs' },
  next: { main: 'serve.js', copy: 'next', write: { 'serve.js': SERVE_ROUTE } },
};

/** Installs the frameworks, once. */
function install() {
  const installed = join(FRAMEWORKS, 'node_modules', '.package-lock.json');
  const age = (file) => fs.statSync(file).mtimeMs;
  if (fs.existsSync(installed) && age(installed) >= age(join(FRAMEWORKS, 'package-lock.json'))) {
    return;
  }
  execFileSync('npm', ['ci', '--ignore-scripts', '--loglevel=error'], {
    cwd: FRAMEWORKS,
    stdio: 'inherit',
    shell: process.platform === 'win32',
    timeout: INSTALL_LIMIT_MS,
  });
}

/** Makes a project with one program, like that of a reader who copied the file. @returns its folder */
function createProject(name) {
  const { copy, links = {}, compile = false, write = {} } = PROGRAMS[name];
  const folder = fs.mkdtempSync(join(tmpdir(), `crm-login-${name}-`));
  const isFile = fs.statSync(join(__dirname, copy)).isFile();
  fs.cpSync(join(__dirname, copy), isFile ? join(folder, copy) : folder, { recursive: true });
  const files = { 'package.json': JSON.stringify(isFile ? {} : { type: 'module' }), ...write };
  for (const [file, text] of Object.entries(files)) fs.writeFileSync(join(folder, file), text);

  const link = (from, as) => {
    const path = join(folder, 'node_modules', as);
    fs.mkdirSync(dirname(path), { recursive: true });
    fs.symlinkSync(from, path, 'junction');
  };
  const { dependencies } = JSON.parse(fs.readFileSync(join(FRAMEWORKS, 'package.json'), 'utf8'));
  for (const dependency of Object.keys(dependencies)) {
    link(join(FRAMEWORKS, 'node_modules', links[dependency] ?? dependency), dependency);
  }
  for (const dependency of FAMILY) link(join(ROOT, 'node_modules', dependency), dependency);
  if (compile) {
    link(join(ROOT, 'node_modules', '@types'), '@types');
    const tsc = join(ROOT, 'node_modules', 'typescript', 'bin', 'tsc');
    execFileSync(process.execPath, [tsc, '-p', folder], {
      stdio: ['ignore', 'inherit', 'inherit'],
    });
  }
  return folder;
}

async function main([name]) {
  if (!Object.hasOwn(PROGRAMS, name ?? '')) {
    console.error(`Usage: node examples/frameworks/run.js ${Object.keys(PROGRAMS).join(' | ')}`);
    process.exitCode = 2;
    return;
  }
  install();
  const folder = createProject(name);
  // A variable that is empty, as in a copy of .env.example, counts as not set.
  const given = Object.fromEntries(Object.entries(process.env).filter(([, value]) => value !== ''));
  const { PORT = '3000' } = given;
  const env = {
    PORT,
    BASE_URL: `http://localhost:${PORT}`,
    SESSION_SECRET: 'for development only, 32 or more',
    ...given,
  };
  let emulator;
  if (!env.SALESFORCE_CLIENT_ID) {
    emulator = await require('crm-emulator').startEmulator();
    const { clientID, clientSecret, loginURL } = emulator.salesforce.options;
    env.SALESFORCE_CLIENT_ID = clientID;
    env.SALESFORCE_CLIENT_SECRET = clientSecret;
    env.SALESFORCE_LOGIN_URL = loginURL;
    console.log(`The emulator plays Salesforce: ${emulator.salesforce.origin}`);
  }
  const child = spawn(process.execPath, [PROGRAMS[name].main], {
    cwd: folder,
    env,
    stdio: 'inherit',
  });
  // Ctrl+C reaches both processes. This one cleans up when the program has ended.
  process.on('SIGINT', () => undefined);
  process.on('SIGTERM', () => child.kill());
  const [code] = await once(child, 'exit');
  await emulator?.close();
  fs.rmSync(folder, { recursive: true, force: true });
  process.exitCode = code ?? 0;
}

module.exports = { PROGRAMS, createProject, install };
if (require.main === module) void main(process.argv.slice(2));
