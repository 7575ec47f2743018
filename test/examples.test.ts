/** The example commands, run as their READMEs say. */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer as createWebServer } from 'node:http';
import { createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { expect } from 'chai';
import { createClient } from 'redis';
import { nameOf, stepsOf } from '../examples/cadence-transfer/dist/cadence';
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

  it('without credentials — reads, signs in, copies, and prints what was copied', async () => {
    const { code, error, lines } = await run(FILE, ['7']);
    expect(error).to.equal('');
    expect(code).to.equal(0);
    expect(lines).to.have.length(5);
    expect(lines[0]).to.equal('The emulator plays both Salesloft instances.');
    expect(lines[1]).to.match(/^Read cadence 7, "Cadence 7", at http:\S+:$/);
    expect(lines[2]).to.equal('  day 1: Email "Introduction"');
    expect(lines[3]).to.match(/^Signed in at http:\S+ as Suri$/);
    expect(lines[4]).to.match(/^Copied 1 step to cadence \d+, "Imported: Cadence 7"$/);
  });

  it('stepsOf — names each step, and escapes what a terminal would obey', () => {
    const call = { type: 'Phone', name: '\u001b[2JCall' };
    const mail = { type: 'Email', name: 'Hello' };
    const step_groups = [
      { day: 1, steps: [mail, call] },
      { day: 3, steps: [mail] },
    ];
    const exported = { data: { cadence_content: { step_groups } } };
    expect(stepsOf(exported)).to.deep.equal([
      'day 1: Email "Hello"',
      'day 1: Phone "\\u001b[2JCall"',
      'day 3: Email "Hello"',
    ]);
    expect(stepsOf({ data: { cadence_content: {} } })).to.deep.equal([]);
    expect(nameOf(exported, 7)).to.equal('Cadence 7');
  });

  it('--help — prints the usage on stdout, and ends with status 0', async () => {
    const { code, out, error } = await run(FILE, ['--help']);
    expect(code).to.equal(0);
    expect(error).to.equal('');
    expect(out)
      .to.match(/^Usage: /)
      .and.contain('NUMBER')
      .and.contain('.env.example');
  });

  it('.env.example — names every variable, and its empty lines count as not set', async () => {
    const path = join(__dirname, '../examples/cadence-transfer/.env.example');
    const names = [...readFileSync(path, 'utf8').matchAll(/^(\w+)=$/gm)].map(([, name]) => name);
    expect(names).to.have.members([
      ...Object.keys(CREDENTIALS),
      'CALLBACK_URL',
      'REDIS_URL',
      'TOKEN_SECRET',
    ]);
    const empty = Object.fromEntries(names.map((name) => [name, '']));
    expect((await run(FILE, [], empty)).code).to.equal(0);
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
    ['no number of a cadence', [], CREDENTIALS, 'Which cadence?'],
    ['a wrong number', ['seven'], {}, '"seven"'],
    ['two numbers', ['7', '8'], {}, '"8"'],
    ['an unknown option', ['--from', '7'], {}, "Unknown option '--from'"],
  ] as const) {
    it(`${what} — prints it and the usage on stderr, and ends with status 2`, async () => {
      const { code, out, error } = await run(FILE, [...parameters], env);
      expect(code).to.equal(2);
      expect(out).to.equal('');
      expect(error.split('\n')[0]).to.contain(words);
      expect(error).to.contain('Usage: node').and.not.contain('s3cret');
    });
  }

  const SECRET = 's3cret-'.repeat(6);
  for (const [what, env, words] of [
    ['half of the credentials', { FROM_CLIENT_ID: 'one' }, 'FROM_CLIENT_SECRET, TO_CLIENT_ID'],
    ['a Redis without a secret', { ...CREDENTIALS, REDIS_URL: 'redis://x' }, 'TOKEN_SECRET must'],
    [
      'a wrong REDIS_URL',
      { ...CREDENTIALS, REDIS_URL: 's3cret', TOKEN_SECRET: SECRET },
      'REDIS_URL must be',
    ],
    [
      'no Redis',
      { ...CREDENTIALS, REDIS_URL: 'redis://:s3cret@127.0.0.1:1', TOKEN_SECRET: SECRET },
      'Redis does not answer at 127.0.0.1:1. Start it',
    ],
    ['a callback elsewhere', { CALLBACK_URL: 'https://app.example/callback' }, 'CALLBACK_URL must'],
  ] as const) {
    it(`${what} — ends with one line that names the remedy, and status 1`, async () => {
      const { code, out, error } = await run(FILE, ['7'], env);
      expect(code).to.equal(1);
      expect(out).to.equal('');
      expect(error).to.contain(words).and.not.contain('s3cret');
      expect(error.trim().split('\n')).to.have.length(1);
    });
  }

  it('visitInBrowser — says so when another program uses the port, or the person stays away', async () => {
    const server = createWebServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const callbackURL = `http://127.0.0.1:${(server.address() as AddressInfo).port}/callback`;
    const failure = async () =>
      await visitInBrowser('https://accounts.example/', callbackURL, 1).catch(String);
    expect(await failure())
      .to.contain('EADDRINUSE')
      .and.contain('CALLBACK_URL');
    server.close();
    await once(server, 'close');
    const { log } = console;
    console.log = () => undefined;
    try {
      expect(await failure()).to.contain('ten minutes');
    } finally {
      console.log = log;
    }
  });

  it('visitInBrowser — waits for the browser at the callback URL', async () => {
    const server = createWebServer().listen(0, '127.0.0.1');
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

  it('--help — prints the usage on stdout, and ends with status 0', async () => {
    const { code, out, error } = await run(SYNC, ['--help']);
    expect(code).to.equal(0);
    expect(error).to.equal('');
    for (const option of ['--workers', '--seconds', 'REDIS_URL']) expect(out).to.contain(option);
  });

  for (const [what, parameters, words] of [
    ['a wrong number', ['--seconds', 'soon'], '--seconds must be a whole number'],
    ['too many workers', ['--workers', '100000'], '--workers must be a whole number'],
    ['an unknown option', ['--hours', '1'], "Unknown option '--hours'"],
    ['an extra argument', ['salesloft'], "Unexpected argument 'salesloft'"],
  ] as const) {
    it(`${what} — prints it and the usage on stderr, and ends with status 2`, async () => {
      const { code, out, error } = await run(SYNC, [...parameters]);
      expect(code).to.equal(2);
      expect(out).to.equal('');
      expect(error.split('\n')[0]).to.contain(words);
      expect(error).to.contain('Usage: node examples/background-sync/dist/sync.js');
    });
  }

  const OWN = {
    SALESLOFT_CLIENT_ID: 'one',
    SALESLOFT_CLIENT_SECRET: 's3cret-one',
    SALESOS_CLIENT_ID: 'two',
    SALESOS_CLIENT_SECRET: 's3cret-two',
    PEOPLE: 'salesloft:1',
    TOKEN_SECRET: 's3cret-'.repeat(6),
  };
  for (const [what, env, words] of [
    ['no Redis', { REDIS_URL: 'redis://:s3cret@127.0.0.1:1' }, '127.0.0.1:1 (ECONNREFUSED). Start'],
    ['a wrong REDIS_URL', { REDIS_URL: 's3cret' }, 'REDIS_URL'],
    ['another kind of URL', { REDIS_URL: 'http://:s3cret@x' }, 'redis://'],
    ['half of the credentials', { PEOPLE: 'salesloft:1' }, 'TOKEN_SECRET'],
    ['a short secret', { ...OWN, TOKEN_SECRET: 's3cret' }, 'TOKEN_SECRET must have at least 32'],
    ['a person of another provider', { ...OWN, PEOPLE: 'hubspot:1' }, '"hubspot:1"'],
  ] as const) {
    it(`${what} — ends with one line that names the remedy, and status 1`, async () => {
      const { code, out, error } = await run(SYNC, [], env);
      expect(code).to.equal(1);
      expect(out).to.equal('');
      expect(error).to.contain(words).and.not.contain('s3cret');
      expect(error.trim().split('\n')).to.have.length(1);
    });
  }
});

describe('example background-sync and a Redis that says nothing', function () {
  this.timeout(30_000);
  const server = createServer();
  server.on('connection', (socket: Socket) => socket.on('error', () => undefined));
  let url = '';
  before(async () => {
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    url = `redis://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  after(() => server.close());

  it('SIGINT — ends at once with status 130, since there is nothing to sum up', async () => {
    const { child, ended } = start(SYNC, [], { REDIS_URL: url });
    await once(server, 'connection');
    child.kill('SIGINT');
    const { code, out, error } = await ended;
    expect({ code, out, error }).to.deep.equal({ code: 130, out: '', error: '' });
  });

  it('no signal — ends with the remedy and status 1', async () => {
    const { code, out, error } = await run(SYNC, [], { REDIS_URL: url });
    expect({ code, out }).to.deep.equal({ code: 1, out: '' });
    expect(error).to.match(/^Redis does not answer at 127\S+ \(no answer\). Start it .*\n$/);
  });
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

  const startSync = (seconds: string) =>
    start(SYNC, ['--seconds', seconds, '--workers', '3'], { REDIS_URL: redis.url });

  /** Waits until a worker has refreshed tokens. */
  const firstRefresh = async ({ child }: ReturnType<typeof start>) => {
    let said = '';
    await new Promise<void>((resolve) => {
      child.stdout.on('data', (chunk) => {
        said += String(chunk);
        if (said.includes('refreshed')) resolve();
      });
    });
  };

  const PERSON = /^ {2}.+ \(sales\w+\): \d+ answers?, \d+ refresh/;

  it('workers — share each person’s tokens, and one of them refreshes in time', async () => {
    const began = performance.now();
    const { code, out, error, lines } = await startSync('7').ended;
    expect(error).to.equal('');
    expect(code, out).to.equal(0);
    expect(lines[1]).to.contain('3 workers, which fetch data of 4 people for 7 seconds');
    expect(lines.filter((line) => /^ +\d+\.\d s {2}\d+ answers?, \d+ refresh/.test(line))).not
      .empty;
    const refreshes = lines.filter((line) => / s {2}worker [123] refreshed the tokens/.test(line));
    const people = lines.filter((line) => PERSON.test(line));
    expect(people).to.have.length(4);
    // Every two seconds, at half of a token's life. Three workers without a lock would refresh three times as often.
    const most = Math.ceil((performance.now() - began) / 2000) + 1;
    let sum = 0;
    for (const line of people) {
      const [, answers, count] = /: (\d+) answers?, (\d+) refresh/.exec(line) ?? [];
      expect(Number(answers)).to.be.greaterThan(3);
      expect(Number(count)).to.be.within(2, most);
      sum += Number(count);
    }
    expect(refreshes).to.have.length(sum);
    expect(people.filter((line) => line.includes('must sign in again by'))).to.have.length(2);
    expect(await keys()).to.deep.equal([]);
  });

  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    it(`${signal} — ends the workers, prints the summary, and ends with status 0`, async () => {
      const sync = startSync('60');
      await firstRefresh(sync);
      sync.child.kill(signal);
      const { code, lines, error } = await sync.ended;
      expect(error).to.equal('');
      expect(code).to.equal(0);
      expect(lines.filter((line) => PERSON.test(line))).to.have.length(4);
      expect(await keys()).to.deep.equal([]);
    });
  }

  it('SIGINT while the workers start — ends them too', async () => {
    const sync = startSync('60');
    await once(sync.child.stdout, 'data');
    sync.child.kill('SIGINT');
    const { code, error } = await sync.ended;
    expect(error).to.equal('');
    expect(code).to.be.oneOf([0, 130]);
    expect(await keys()).to.deep.equal([]);
  });

  describe('without Redis', () => {
    const stopped = 'has stopped answering, so the workers were ended. Start it again';
    beforeEach(async () => {
      await redis.kill();
      await redis.start();
    });

    for (const how of ['kill', 'pause'] as const) {
      it(`${how} in the middle — prints the summary and the remedy, and ends with status 1`, async () => {
        const sync = startSync('600');
        await firstRefresh(sync);
        const began = performance.now();
        await redis[how]();
        const { code, lines, error } = await sync.ended;
        expect(performance.now() - began).to.be.lessThan(25_000);
        expect(code).to.equal(1);
        expect(lines.filter((line) => PERSON.test(line))).to.have.length(4);
        expect(error).to.contain('does not answer. Waiting 5 seconds for it.');
        expect(error)
          .to.contain(stopped)
          .and.not.match(/\n\s+at /);
      });
    }

    it('SIGINT while Redis is away — ends without the wait', async () => {
      const sync = startSync('600');
      await firstRefresh(sync);
      const noticed = once(sync.child.stderr, 'data');
      redis.pause();
      await noticed;
      sync.child.kill('SIGINT');
      const { code, error } = await sync.ended;
      expect(code).to.equal(1);
      expect(error)
        .to.contain(stopped)
        .and.not.match(/\n\s+at /);
    });

    it('SIGINT twice — ends at once with status 130', async () => {
      const sync = startSync('600');
      await firstRefresh(sync);
      const noticed = once(sync.child.stderr, 'data');
      redis.pause();
      await noticed;
      sync.child.kill('SIGINT');
      sync.child.stdout.on('data', () => sync.child.kill('SIGINT'));
      expect((await sync.ended).code).to.equal(130);
    });

    it('a Redis that comes back in time — is used again', async () => {
      const sync = startSync('8');
      await firstRefresh(sync);
      redis.pause();
      await once(sync.child.stderr, 'data');
      redis.resume();
      const { code, lines, error } = await sync.ended;
      expect(error).to.contain('answers again').and.not.contain(stopped);
      expect(code, error).to.be.oneOf([0, 1]);
      expect(lines.filter((line) => PERSON.test(line))).to.have.length(4);
    });
  });
});
