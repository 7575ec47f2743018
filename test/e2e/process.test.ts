/** The example application as a process: its start, its end, and what it keeps over a SIGKILL. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdtempSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { expect } from 'chai';
import { freePorts } from '../support/free-ports';
import { Visitor } from './visitor';
import type { Provider } from './visitor';

describe('example as a process', function () {
  this.timeout(60_000);
  const server = resolve('examples/express-login/dist/server.js');
  const nothing = Object.fromEntries(
    [
      'BASE_URL',
      'DATABASE_URL',
      'HOST',
      'NODE_ENV',
      'SALESFORCE_LOGIN_URL',
      'SALESOS_ISSUER',
      'SESSION_SECRET',
      'TOKEN_SECRET',
    ].map((name) => [name, '']),
  );
  for (const provider of ['SALESLOFT', 'SALESOS', 'SALESFORCE']) {
    nothing[`${provider}_CLIENT_ID`] = '';
    nothing[`${provider}_CLIENT_SECRET`] = '';
  }

  // The first start takes some seconds, because it makes the database. The tests copy the one of this folder.
  let made: string;
  const folders: string[] = [];
  before(async () => {
    made = mkdtempSync(join(tmpdir(), 'example-'));
    folders.push(made);
    const { listening, child, ended } = start({ DATA_FOLDER: made });
    await listening();
    child.kill('SIGTERM');
    await ended;
  });
  after(async () => {
    await Promise.all(folders.map((folder) => rm(folder, { recursive: true })));
  });

  function newFolder(): string {
    const folder = mkdtempSync(join(tmpdir(), 'example-'));
    folders.push(folder);
    cpSync(join(made, 'database'), join(folder, 'database'), { recursive: true });
    return folder;
  }

  function start(env: Record<string, string> = {}) {
    const own = { PORT: '0', EMULATOR_PORT: '0', ...env };
    const { DATA_FOLDER = newFolder() } = env;
    const child = spawn(process.execPath, [server], {
      env: { ...process.env, ...nothing, ...own, DATA_FOLDER },
    });
    let output = '';
    const said = (text: string) => {
      output += text;
    };
    child.stdout.setEncoding('utf8').on('data', said);
    child.stderr.setEncoding('utf8').on('data', said);
    const ended = once(child, 'exit');
    /** @returns the address */
    const listening = async () => {
      while (!output.includes('Ctrl+C') && child.exitCode === null) {
        await Promise.race([once(child.stdout, 'data'), ended]);
      }
      const [, origin] = /example: (http:\/\/localhost:\d+)/.exec(output) ?? [];
      if (origin === undefined) throw new Error(`The example did not start: ${output}`);
      return origin;
    };
    return { child, output: () => output, ended, listening };
  }

  it('start — prints the address and who is emulated; SIGTERM ends it cleanly', async () => {
    const { child, output, ended, listening } = start({});
    try {
      const origin = await listening();
      expect(await (await fetch(`${origin}/healthz`)).text()).to.equal('ok');
      expect(output().match(/emulated at http:\/\/127\.0\.0\.1:\d+/g)).to.have.length(3);
    } finally {
      child.kill('SIGTERM');
    }
    expect(await ended).to.deep.equal([0, null]);
  });

  it('start — makes ready the logins of a provider that has credentials', async () => {
    const { startEmulator } = await import('crm-emulator');
    const { salesos, close } = await startEmulator();
    const { clientID, clientSecret, issuer } = salesos.options;
    const { child, ended, listening } = start({
      SALESOS_CLIENT_ID: clientID,
      SALESOS_CLIENT_SECRET: clientSecret,
      SALESOS_ISSUER: issuer,
    });
    try {
      await listening();
      const isAsked = () => salesos.requests.some(({ path }) => path.endsWith('/jwks.json'));
      for (let round = 0; round < 200 && !isAsked(); round += 1) await wait(50);
      expect(isAsked()).to.equal(true);
    } finally {
      child.kill('SIGTERM');
      await ended;
      await close();
    }
  });

  it('start — answers every request that it accepts, from the first one on', async () => {
    const port = await freePorts();
    const { child, ended } = start({ PORT: String(port) });
    const outcomes: Promise<string>[] = [];
    try {
      const answered = new AbortController();
      const ask = async () => {
        try {
          const signal = AbortSignal.timeout(5000);
          const response = await fetch(`http://localhost:${port}/healthz`, { signal });
          answered.abort();
          return `${response.status} ${await response.text()}`;
        } catch (error) {
          const { name, cause } = error as Error;
          return name === 'TimeoutError' ? 'accepted, never answered' : refusal(cause);
        }
      };
      while (!answered.signal.aborted && child.exitCode === null && outcomes.length < 5000) {
        outcomes.push(ask());
        await wait(5);
      }
      const seen = new Set(await Promise.all(outcomes));
      seen.delete('ECONNREFUSED');
      expect([...seen]).to.deep.equal(['200 ok']);
    } finally {
      child.kill('SIGTERM');
    }
    expect(await ended).to.deep.equal([0, null]);
  });

  it('PORT among the ports of the emulator — the emulator takes others', async () => {
    const port = await freePorts();
    const { child, output, ended, listening } = start({
      PORT: String(port),
      EMULATOR_PORT: String(port),
    });
    try {
      await listening();
      expect(output()).to.contain(`example: http://localhost:${port}\n`);
      expect(output()).not.to.contain(`emulated at http://127.0.0.1:${port}\n`);
    } finally {
      child.kill('SIGTERM');
    }
    expect(await ended).to.deep.equal([0, null]);
  });

  it('half a pair of credentials — ends at once, with a line that names the variable', async () => {
    const { output, ended } = start({ SALESOS_CLIENT_ID: 'an-id-of-mine' });
    expect((await ended)[0]).to.equal(1);
    expect(output()).to.match(/^SALESOS_CLIENT_SECRET is missing\. [^\n]*\n$/);
  });

  it('second process on the same folder — is refused, and named the remedy', async () => {
    const folder = newFolder();
    const first = start({ DATA_FOLDER: folder });
    try {
      await first.listening();
      const second = start({ DATA_FOLDER: folder });
      expect((await second.ended)[0]).to.equal(1);
      expect(second.output()).to.match(
        /^Another process has the database .* set DATABASE_URL .*\n$/,
      );
    } finally {
      first.child.kill('SIGTERM');
    }
    expect(await first.ended).to.deep.equal([0, null]);
  });

  it('secrets — are made once, in a file that only its owner reads', async () => {
    const folder = newFolder();
    const { child, ended, listening } = start({ DATA_FOLDER: folder });
    await listening();
    child.kill('SIGTERM');
    await ended;
    expect(statSync(join(folder, 'secrets')).mode & 0o777).to.equal(0o600);
    expect(statSync(join(folder, 'emulator')).mode & 0o777).to.equal(0o600);
    expect(statSync(join(folder, 'database')).mode & 0o077).to.equal(0);
  });

  it('SIGKILL — leaves people signed in, tokens that can be refreshed, and no token in clear', async () => {
    const folder = newFolder();
    const port = String(await freePorts());
    const first = start({ DATA_FOLDER: folder, PORT: port });
    const baseURL = await first.listening();
    const visitor = new Visitor({ baseURL });
    await visitor.logIn('salesloft', 'Marta Quill');
    const others: Provider[] = ['salesos', 'salesforce'];
    for (const provider of others) await visitor.connect(provider, 'Marta Quill');
    first.child.kill('SIGKILL');
    await first.ended;

    const second = start({ DATA_FOLDER: folder, PORT: port });
    try {
      await second.listening();
      const page = await visitor.visit('/profile');
      expect([page.status, page.heading]).to.deep.equal([200, 'Marta Quill']);
      const refreshes = [...page.html.matchAll(/\/connections\/[\w-]+\/refresh/g)].map(String);
      expect(refreshes).to.have.length(3);
      for (const path of refreshes) {
        expect((await visitor.post(path)).location).to.match(/done=refreshed/);
      }
    } finally {
      second.child.kill('SIGTERM');
      await second.ended;
    }
    const tokens = tokensOf(join(folder, 'emulator'));
    expect(tokens.length).to.be.greaterThan(8);
    for (const file of filesBelow(join(folder, 'database'))) {
      const text = readFileSync(file, 'latin1');
      expect(
        tokens.filter((token) => text.includes(token)),
        file,
      ).to.deep.equal([]);
    }
  });
});

/** The reason why `fetch` got no answer. */
function refusal(cause: unknown): string {
  return String(Reflect.get(Object(cause), 'code'));
}

/** The tokens that the emulator has issued, from the file that it keeps. */
function tokensOf(file: string): string[] {
  const { entries } = JSON.parse(readFileSync(file, 'utf8')) as {
    entries: Record<string, [key: string, entry: { payload?: unknown }][]>;
  };
  const keys = Object.values(entries).flatMap((list) => list.map(([key]) => key));
  return keys.flatMap((key) => /Token:(?<id>.+)/.exec(key)?.groups?.id ?? []);
}

function filesBelow(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}
