/** The example commands, run as their READMEs say. */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { expect } from 'chai';
import { createClient } from 'redis';
import { visitInBrowser } from '../examples/cadence-transfer/dist/sign-in';
import { RedisServer, describeWithRedis } from './support/redis';

type Environment = Record<string, string>;

/** Lets a child ask this machine only. */
const OFFLINE = `data:text/javascript,${encodeURIComponent(`
  import dns from 'node:dns';
  const { lookup } = dns;
  dns.lookup = (host, ...rest) =>
    /^(127\\.|localhost$)/.test(host)
      ? lookup(host, ...rest)
      : rest.at(-1)(Object.assign(new Error('offline'), { code: 'ENOTFOUND' }));`)}`;

/** Starts a command with an environment of its own, so without credentials and Redis. */
function start(file: string, parameters: string[] = [], env: Environment = {}) {
  const path = join(__dirname, '../examples', file);
  const child = spawn(process.execPath, ['--import', OFFLINE, path, ...parameters], {
    env: { PATH: process.env.PATH, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const said = Promise.all([text(child.stdout), text(child.stderr)]);
  return { child, ended: endOf(child, said) };
}

async function endOf(child: ChildProcess, said: Promise<[string, string]>) {
  const [code] = (await once(child, 'exit')) as [number | null];
  const [out, error] = await said;
  return { code, out, error, lines: out.trim().split('\n') };
}

const run = async (...parameters: Parameters<typeof start>) => await start(...parameters).ended;

describe('example cadence-transfer', function () {
  this.timeout(30_000);
  const FILE = 'cadence-transfer/dist/transfer.js';
  const CREDENTIALS = {
    FROM_CLIENT_ID: 'one',
    FROM_CLIENT_SECRET: 's3cret-one',
    TO_CLIENT_ID: 'two',
    TO_CLIENT_SECRET: 's3cret-two',
  };

  it('without credentials — exports, signs in, imports, and prints each step', async () => {
    const { code, error, lines } = await run(FILE, ['7']);
    expect(error).to.equal('');
    expect(code).to.equal(0);
    expect(lines).to.have.length(3);
    expect(lines[0]).to.match(/^Exported "Cadence 7" from http:/);
    expect(lines[1]).to.match(/^Signed in at http:\S+ as Suri$/);
    expect(lines[2]).to.match(/^Imported it as "Imported: Cadence 7", number \d+$/);
  });

  it('a failure — prints its cause and its remedy, and ends with status 1', async () => {
    const { code, out, error } = await run(FILE, ['7'], CREDENTIALS);
    expect(code).to.equal(1);
    expect(out).to.equal('');
    const [message, hint] = error.trim().split('\n');
    expect(message).to.contain('salesloft: the host name could not be resolved');
    expect(hint).to.contain('DNS');
    expect(error).not.to.match(/s3cret|\n\s+at /);
  });

  for (const [what, parameters, env, words] of [
    ['half of the credentials', [], { FROM_CLIENT_ID: 'one' }, 'FROM_CLIENT_SECRET, TO_CLIENT_ID'],
    ['no number of a cadence', [], CREDENTIALS, 'Which cadence?'],
    ['a wrong number', ['seven'], {}, '"seven"'],
    ['a Redis without a secret', ['7'], { ...CREDENTIALS, REDIS_URL: 'redis://x' }, 'TOKEN_SECRET'],
  ] as const) {
    it(`${what} — ends with one line that names it`, async () => {
      const { code, out, error } = await run(FILE, [...parameters], env);
      expect(code).to.equal(1);
      expect(out).to.equal('');
      expect(error).to.contain(words).and.not.contain('s3cret');
      expect(error.trim().split('\n')).to.have.length(1);
    });
  }

  it('visitInBrowser — waits for the browser at the callback URL', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    server.close();
    await once(server, 'close');
    const callbackURL = `http://127.0.0.1:${port}/callback`;
    const { log } = console;
    const shown = new Promise<string>((resolve) => {
      console.log = resolve;
    });
    try {
      const back = visitInBrowser('https://accounts.example/authorize', callbackURL);
      expect(await shown).to.contain('https://accounts.example/authorize');
      expect((await fetch(`http://127.0.0.1:${port}/favicon.ico`)).status).to.equal(404);
      expect((await fetch(`${callbackURL}?code=1&state=2`)).status).to.equal(200);
      expect(await back).to.equal(`${callbackURL}?code=1&state=2`);
    } finally {
      console.log = log;
    }
  });
});

const SYNC = 'background-sync/dist/sync.js';

describe('example background-sync', function () {
  this.timeout(30_000);

  it('without Redis — prints the remedy', async () => {
    const { code, out, error } = await run(SYNC, [], { REDIS_URL: 'redis://:s3cret@127.0.0.1:1' });
    expect(code).to.equal(1);
    expect(out).to.equal('');
    expect(error).to.contain('127.0.0.1:1').and.contain('REDIS_URL').and.not.contain('s3cret');
    expect(error.trim().split('\n')).to.have.length(1);
  });

  for (const [what, parameters, env, words] of [
    ['a wrong number', ['--seconds', 'soon'], {}, '--seconds'],
    ['half of the credentials', [], { PEOPLE: 'salesloft:1' }, 'TOKEN_SECRET'],
  ] as const) {
    it(`${what} — ends with one line that names it`, async () => {
      const { code, error } = await run(SYNC, [...parameters], env);
      expect(code).to.equal(1);
      expect(error).to.contain(words);
      expect(error.trim().split('\n')).to.have.length(1);
    });
  }
});

describeWithRedis('example background-sync with Redis', function () {
  this.timeout(60_000);
  const redis = new RedisServer();
  before(async () => await redis.start());
  after(async () => await redis.close());

  const keys = async () => {
    const client = await createClient({ url: redis.url }).connect();
    const found = await client.keys('*');
    await client.close();
    return found;
  };

  it('workers — share each person’s tokens, and one of them refreshes in time', async () => {
    const env = { REDIS_URL: redis.url };
    const began = performance.now();
    const { code, out, error, lines } = await run(SYNC, ['--seconds', '7', '--workers', '3'], env);
    expect(error).to.equal('');
    expect(code, out).to.equal(0);
    expect(lines[0]).to.equal('3 workers, 4 people, 7 seconds');
    const fetched = lines.filter((line) => line.startsWith('Worker '));
    expect(fetched).to.have.length(3);
    for (const line of fetched) expect(line.match(/ [1-9]\d*×/g)).to.have.length(4);
    const refreshes = lines.find((line) => line.startsWith('Refreshes: ')) ?? '';
    const counts = [...refreshes.matchAll(/ (\d+)×/g)].map(([, count]) => Number(count));
    expect(counts).to.have.length(4);
    // Every two seconds, at half of a token's life. Three workers without a lock would refresh three times as often.
    const most = Math.ceil((performance.now() - began) / 2000) + 1;
    for (const count of counts) expect(count).to.be.within(2, most);
    expect(lines.filter((line) => line.includes('sign in again by'))).to.have.length(2);
    expect(await keys()).to.deep.equal([]);
  });

  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    it(`${signal} — ends the workers, and prints the summary`, async () => {
      const { child, ended } = start(SYNC, ['--seconds', '60'], { REDIS_URL: redis.url });
      await once(child.stdout, 'data');
      child.kill(signal);
      const { code, lines, error } = await ended;
      expect(error).to.equal('');
      expect(code).to.equal(0);
      expect(lines.filter((line) => line.startsWith('Worker '))).to.have.length(4);
      expect(await keys()).to.deep.equal([]);
    });
  }
});
