/** A first application, made of the packed packages as their READMEs show. */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import { Browser } from '../support/browser';
import { freePorts } from '../support/free-ports';
import { createProject, pack, remove, temporaryFolder } from './project';

/** The application of a reader who has read the first page of each README. */
const APP = `
const express = require('express');
const session = require('express-session');
const passport = require('passport');
const { Strategy: SalesloftStrategy } = require('passport-salesloft');
const { Strategy: SalesosStrategy } = require('passport-salesos');
const { Strategy: SalesforceStrategy } = require('passport-salesforce-oauth2');
const credentials = JSON.parse(process.env.CREDENTIALS);

passport.use(
  new SalesloftStrategy(
    { ...credentials.salesloft, callbackURL: '/auth/salesloft/callback' },
    (accessToken, refreshToken, profile, done) => done(null, profile),
  ),
);
passport.use(
  new SalesosStrategy(
    { ...credentials.salesos, callbackURL: '/auth/salesos/callback' },
    (accessToken, refreshToken, profile, done) => done(null, profile),
  ),
);
passport.use(
  new SalesforceStrategy(
    { ...credentials.salesforce, callbackURL: '/auth/salesforce/callback' },
    (accessToken, refreshToken, profile, done) => done(null, profile),
  ),
);
passport.serializeUser((user, done) => done(null, { name: user.displayName, by: user.provider }));
passport.deserializeUser((user, done) => done(null, user));

const app = express();
app.use(session({ secret: 'first app', resave: false, saveUninitialized: false }));
app.use(passport.session());
app.get('/', (req, res) => res.json(req.user ?? null));
for (const name of ['salesloft', 'salesos', 'salesforce']) {
  app.get('/auth/' + name, passport.authenticate(name));
  app.get('/auth/' + name + '/callback', passport.authenticate(name), (req, res) => res.redirect('/'));
}
const server = app.listen(0, '127.0.0.1', () => console.log('port ' + server.address().port));
`;

/** Waits until the output of a process matches, and returns it. */
async function printed(child: ChildProcess, pattern: RegExp): Promise<string> {
  let output = '';
  return await new Promise((resolve, reject) => {
    const read = (chunk: Buffer) => {
      output += chunk.toString();
      if (pattern.test(output)) resolve(output);
    };
    child.stdout?.on('data', read);
    child.stderr?.on('data', read);
    child.once('exit', (code) => reject(new Error(`ended with ${code}: ${output}`)));
  });
}

describe('a first app of the packed packages', function () {
  this.timeout(60_000);
  let folder: string;
  const children: ChildProcess[] = [];

  function start(parameters: string[], env: Record<string, string> = {}): ChildProcess {
    const child = spawn(process.execPath, parameters, {
      cwd: folder,
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    children.push(child);
    return child;
  }

  /** Ends a process, and returns its exit code, or the signal that ended it. */
  async function end(child: ChildProcess): Promise<unknown> {
    if (child.exitCode !== null || child.signalCode !== null) return child.exitCode;
    const exited = once(child, 'exit');
    child.kill('SIGTERM');
    const [code, signal] = (await exited) as [number | null, string | null];
    return code ?? signal;
  }

  before(async () => {
    folder = await temporaryFolder();
    await createProject(folder, await pack(folder), [
      'express',
      'express-session',
      'jose',
      'oidc-provider',
      'passport',
      'passport-oauth2',
    ]);
    await writeFile(join(folder, 'app.cjs'), APP);
  });
  after(async () => {
    await Promise.all(children.map(end));
    await remove(folder);
  });

  it('example — signs in with all three against the command of the emulator', async () => {
    const port = await freePorts(3);
    const cli = join('node_modules', 'crm-emulator', 'dist', 'cli.js');
    const emulator = start([cli, '--port', String(port)]);
    const output = await printed(emulator, /Stop with/);
    const credentials = Object.fromEntries(
      [...output.matchAll(/^(sales\w+) +(\S+)\n +(\{.*\})$/gm)].map(([, name, origin, json]) => {
        expect(new URL(origin ?? '').hostname).to.equal('127.0.0.1');
        return [name, JSON.parse(json ?? '') as object];
      }),
    );
    expect(Object.keys(credentials)).to.deep.equal(['salesloft', 'salesos', 'salesforce']);
    expect(output).to.contain(`http://127.0.0.1:${port + 2}`);

    const app = start(['app.cjs'], { CREDENTIALS: JSON.stringify(credentials) });
    const [, appPort] = /port (\d+)/.exec(await printed(app, /port \d+/)) ?? [];
    const origin = `http://127.0.0.1:${appPort}`;
    for (const name of Object.keys(credentials)) {
      const browser = new Browser();
      const started = await browser.visit(`${origin}/auth/${name}`);
      const callback = await browser.signIn(started.headers.get('location') ?? '', 'Zoë Ångström');
      const { url, response } = await browser.follow(callback);
      expect(url).to.equal(`${origin}/`);
      expect(await response?.json()).to.deep.equal({ name: 'Zoë Ångström', by: name });
      const denied = await browser.visit(`${origin}/auth/${name}`);
      const refusal = await browser.signIn(denied.headers.get('location') ?? '', 'deny');
      expect((await browser.visit(refusal)).status).to.equal(401);
    }
    expect(await end(emulator)).to.equal(0);
  });
});
