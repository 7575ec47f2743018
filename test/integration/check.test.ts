/** The command `crm-oauth2 check`, run against the emulator: a sentence for each thing that can be wrong. */
import { spawn } from 'node:child_process';
import dns = require('node:dns');
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { text as textOf } from 'node:stream/consumers';
import { expect } from 'chai';
import { startEmulator } from 'crm-emulator';
import type { Emulator, ProviderName } from 'crm-emulator';
import { Browser } from '../support/browser';
import { freePorts } from '../support/free-ports';
import { ROOT, STRATEGIES, exportsOf } from '../support/packages';

const LIB = join(ROOT, 'packages/crm-oauth2/lib');

/** The world of the command, as its own tests have it. */
interface World {
  environment: Record<string, string>;
  folder: string;
  print: (text: string) => void;
  printError: (text: string) => void;
  now: () => number;
}

const { main } = require(join(LIB, 'check.js')) as {
  main: (argv: readonly string[], world: World) => Promise<number>;
};

const NAMES = ['salesloft', 'salesos', 'salesforce'] as const satisfies readonly ProviderName[];

/** In place of `dns.lookup`: no name is known, and no resolver is asked. */
const UNKNOWN = (...parameters: unknown[]) => {
  const answer = parameters.at(-1) as (error: Error) => void;
  answer(Object.assign(new Error('unknown'), { code: 'ENOTFOUND' }));
};

const NO_LOGIN = /^There is no login at http\S+: it answers 404\.$/;
const UNEXPECTED = /^The token endpoint does not answer as expected: /;

/** The words where the host is that of another provider. SalesOS and Salesloft have paths in common. */
const WRONG_HOST: Readonly<Record<ProviderName, readonly RegExp[]>> = {
  salesloft: [NO_LOGIN, UNEXPECTED],
  salesos: [
    NO_LOGIN,
    /^The client id or the client secret is wrong\. SalesOS does not say which\.$/,
  ],
  salesforce: [NO_LOGIN, UNEXPECTED],
};

interface Finding {
  part: string;
  verdict: string;
  says: string;
  mend?: string;
  code?: string;
}

interface Printed {
  wrong: number;
  findings: Finding[];
  login?: { facts: string[][]; answers: Record<string, string[][]> };
}

interface Run {
  changes?: Record<string, string>;
  argv?: readonly string[];
  now?: () => number;
  onUrl?: (url: string) => void;
}

/** `loginURL` → `LOGIN_URL` */
const upper = (option: string) => option.replace(/([a-z])([A-Z])/g, '$1_$2').toUpperCase();

describe('check against the emulator', function () {
  this.timeout(30_000);
  let emulator: Emulator;
  before(async () => {
    emulator = await startEmulator({ callbackURLs: ['https://app.example/callback'] });
  });
  after(async () => await emulator.close());
  afterEach(() => {
    for (const name of NAMES) emulator[name].clearFaults();
  });

  /** The package of a provider, and its title. */
  const packageOf = (name: ProviderName) => {
    const strategy = STRATEGIES.find((one) => exportsOf(one).provider.name === name)!;
    return { name: strategy.name, title: exportsOf(strategy).provider.title };
  };

  /** The variables of a right set-up; `changes` are options by name. */
  function environmentOf(name: ProviderName, changes: Record<string, string>) {
    const options = {
      ...emulator[name].options,
      callbackURL: 'https://app.example/callback',
      ...changes,
    };
    const prefix = name.toUpperCase();
    return Object.fromEntries(
      Object.entries(options).map(([option, value]) => [`${prefix}_${upper(option)}`, value]),
    );
  }

  async function run(
    name: ProviderName,
    { changes = {}, argv = [], now = Date.now, onUrl }: Run = {},
  ) {
    const environment = environmentOf(name, changes);
    let [out, err] = ['', ''];
    const status = await main(['check', packageOf(name).name, ...argv], {
      environment,
      folder: ROOT,
      print: (text) => (out += text),
      printError: (text) => {
        err += text;
        const [url] = /^http\S+$/m.exec(text) ?? [];
        if (url !== undefined) onUrl?.(url);
      },
      now,
    });
    const secret = environment[`${name.toUpperCase()}_CLIENT_SECRET`];
    if (secret) expect(`${out}${err}`).to.not.contain(secret);
    return { status, out, err };
  }

  /** The report as JSON, and what is wrong in it. */
  async function report(name: ProviderName, options: Run = {}) {
    const { status, out, err } = await run(name, {
      ...options,
      argv: ['--json', ...(options.argv ?? [])],
    });
    expect(out, err).to.match(/^\{/);
    const printed = JSON.parse(out) as Printed;
    const wrongs = printed.findings.filter(({ verdict }) => verdict === 'wrong');
    expect(status).to.equal(wrongs.length > 0 ? 1 : 0);
    expect(printed.wrong).to.equal(wrongs.length);
    return { ...printed, wrongs, says: wrongs.map(({ says }) => says) };
  }

  for (const name of NAMES) {
    const title = packageOf(name).title;
    const prefix = name.toUpperCase();

    it(`${name} — a right set-up has nothing wrong`, async () => {
      const { status, out, err } = await run(name);
      expect({ status, err }, out).to.deep.equal({ status: 0, err: '' });
      expect(out)
        .to.contain(`right     ${prefix}_CLIENT_ID and ${prefix}_CLIENT_SECRET are set.`)
        .and.contain(`right     ${title} knows the client id, and the callback URL is registered.`)
        .and.contain(`right     ${title} accepts the client id and the client secret.`)
        .and.match(/\n\nNothing is wrong\.\n$/);
    });

    it(`${name} — a wrong client id`, async () => {
      const { says, wrongs } = await report(name, { changes: { clientID: 'wrong-id' } });
      expect(says).to.deep.equal([`${title} does not know the client id.`]);
      expect(wrongs[0]?.mend).to.be.a('string');
    });

    it(`${name} — a wrong client secret`, async () => {
      const changes = { clientSecret: 'a-wrong-secret' };
      const { says, wrongs } = await report(name, { changes });
      expect(says).to.deep.equal([`${title} knows the client id, and the client secret is wrong.`]);
      expect(wrongs[0]).to.include({ part: 'client', code: 'invalid_client' });
    });

    it(`${name} — a wrong client secret, where no callback is known`, async () => {
      const changes = { clientSecret: 'a-wrong-secret', callbackURL: '' };
      const { says } = await report(name, { changes });
      expect(says).to.deep.equal([`${title} knows the client id, and the client secret is wrong.`]);
    });

    it(`${name} — a callback that is not registered`, async () => {
      const callbackURL = 'https://app.example/other';
      const { says, wrongs } = await report(name, { changes: { callbackURL } });
      expect(says).to.deep.equal([`The callback URL ${callbackURL} is not registered.`]);
      expect(wrongs[0]?.code).to.equal('redirect_uri_mismatch');
    });

    it(`${name} — a callback over http`, async () => {
      const callbackURL = 'http://app.example/callback';
      const { says } = await report(name, { changes: { callbackURL } });
      expect(says).to.deep.equal([
        `The callback URL ${callbackURL} is plain http. Codes may go over http to this machine only.`,
      ]);
    });

    it(`${name} — missing variables`, async () => {
      const { says } = await report(name, { changes: { clientID: '', clientSecret: '' } });
      expect(says).to.deep.equal([
        `${prefix}_CLIENT_ID has no value.`,
        `${prefix}_CLIENT_SECRET has no value.`,
      ]);
    });

    it(`${name} — a clock that is ten minutes ahead`, async () => {
      const { says } = await report(name, { now: () => Date.now() + 600_000 });
      const { host } = new URL(emulator[name].origin);
      expect(says).to.deep.equal([
        `The clock of this machine is 10 minutes ahead of that of ${host}.`,
      ]);
    });

    it(`${name} — a provider that is down`, async () => {
      for (const step of ['authorize', 'token', ...(name === 'salesloft' ? [] : ['jwks'])]) {
        emulator[name].fault({
          step: step as 'token',
          kind: 'status',
          status: 503,
          times: Infinity,
        });
      }
      const { says } = await report(name);
      const { host } = new URL(emulator[name].origin);
      expect(says).to.deep.equal([`${host} is down: it answers 503.`]);
    });

    it(`${name} — a token endpoint that is down`, async () => {
      emulator[name].fault({ step: 'token', kind: 'status', status: 503, times: Infinity });
      const { says, wrongs } = await report(name);
      expect(says).to.deep.equal([
        'The token endpoint does not answer as expected: the provider failed (503): emulated_fault.',
      ]);
      expect(wrongs[0]?.code).to.equal('provider_unavailable');
    });

    it(`${name} — a host that refuses connections`, async () => {
      const { says } = await report(name, {
        changes: elsewhere(name, `http://127.0.0.1:${await freePorts()}`),
      });
      expect(says[0]).to.match(/^127\.0\.0\.1:\d+ cannot be asked: the connection was refused\.$/);
      expect(says).to.have.lengthOf(1);
    });

    it(`${name} — a host that never answers`, async () => {
      const server = createServer();
      await once(server.listen(0, '127.0.0.1'), 'listening');
      const { port } = server.address() as AddressInfo;
      const changes = elsewhere(name, `http://127.0.0.1:${port}`);
      const { says } = await report(name, { changes, argv: ['--timeout', '1'] });
      expect(says).to.deep.equal([
        `127.0.0.1:${port} cannot be asked: not finished within 1000 ms.`,
      ]);
      server.close();
    });

    it(`${name} — the host of another provider`, async () => {
      const other = name === 'salesloft' ? 'salesforce' : 'salesloft';
      const { says } = await report(name, { changes: elsewhere(name, emulator[other].origin) });
      const keys = name === 'salesloft' ? [] : [/^The discovery document of /, /^The keys for /];
      const expected = [...keys, ...WRONG_HOST[name]];
      expect(says, says.join('\n')).to.have.lengthOf(expected.length);
      for (const [index, words] of expected.entries()) expect(says[index]).to.match(words);
    });
  }

  /** The options that lead to another origin. */
  function elsewhere(name: ProviderName, origin: string): Record<string, string> {
    if (name === 'salesos') return { issuer: `${origin}/` };
    if (name === 'salesforce') return { loginURL: origin };
    const paths = {
      authorizationURL: '/oauth/authorize',
      tokenURL: '/oauth/token',
      profileURL: '/v2/me.json',
    };
    return Object.fromEntries(
      Object.entries(paths).map(([option, path]) => [option, `${origin}${path}`]),
    );
  }

  it('salesloft — the real hosts, by a name that does not resolve', async () => {
    const { lookup } = dns;
    dns.lookup = UNKNOWN as typeof lookup;
    const { says, wrongs } = await report('salesloft', {
      changes: { authorizationURL: '', tokenURL: '', profileURL: '' },
    }).finally(() => {
      dns.lookup = lookup;
    });
    expect(says).to.deep.equal([
      'accounts.salesloft.com cannot be asked: the host name could not be resolved.',
      'api.salesloft.com cannot be asked: the host name could not be resolved.',
    ]);
    expect(wrongs[0]?.code).to.equal('dns_error');
  });

  it('salesforce — an address that is not one to log in at', async () => {
    const { says } = await report('salesforce', { changes: { loginURL: 'http://acme.example' } });
    expect(says).to.have.lengthOf(1);
    expect(says[0]).to.match(/^SALESFORCE_LOGIN_URL /);
  });

  for (const name of ['salesos', 'salesforce'] as const) {
    it(`${name} — no keys`, async () => {
      emulator[name].fault({ step: 'jwks', kind: 'json', body: { keys: [] }, times: Infinity });
      const { says, wrongs } = await report(name);
      expect(says).to.have.lengthOf(1);
      expect(says[0]).to.match(
        /^The keys for ID Tokens cannot be read from http\S+: no key among them/,
      );
      expect(wrongs[0]?.code).to.equal('keys_unavailable');
    });

    it(`${name} — an issuer that differs`, async () => {
      // The same server by another name: its document names the first one.
      const { port } = new URL(emulator[name].origin);
      const { says, wrongs } = await report(name, {
        changes: elsewhere(name, `http://localhost:${port}`),
      });
      expect(says).to.have.lengthOf(1);
      expect(says[0]).to.match(
        /^The issuer differs from http:\/\/localhost:\d+\/?: the document is of another issuer: http:\/\/127/,
      );
      expect(wrongs[0]?.code).to.equal('issuer_mismatch');
    });
  }

  for (const name of NAMES) {
    it(`${name} --login — reports the shape of the answers, and no value of the person`, async () => {
      const callbackURL = `http://127.0.0.1:${await freePorts()}/auth/${name}/callback`;
      const onUrl = (url: string) =>
        void new Browser().signIn(url, 'Suri').then((callback) => fetch(callback));
      const { status, out } = await run(name, {
        changes: { callbackURL },
        argv: ['--login'],
        onUrl,
      });
      expect(status, out).to.equal(0);
      expect(out).to.contain('right     A login ended well.').and.contain('| access_token |');
      expect(out).to.not.match(/\bSuri\b|suri@|@example/i);
      if (name !== 'salesloft') expect(out).to.contain('verified, RS256,');
    });
  }

  it('--login — says what a refusal means', async () => {
    const callbackURL = `http://127.0.0.1:${await freePorts()}/callback`;
    const onUrl = (url: string) =>
      void new Browser().signIn(url, 'deny').then((callback) => fetch(callback));
    const { says, wrongs } = await report('salesos', {
      changes: { callbackURL },
      argv: ['--login'],
      onUrl,
    });
    expect(says[0]).to.match(/^The login failed: access_denied/);
    expect(wrongs[0]?.mend).to.be.a('string');
  });

  it('a fourth package — is checked as the others are', async () => {
    let out = '';
    const { lookup } = dns;
    dns.lookup = UNKNOWN as typeof lookup;
    const status = await main(['check', './examples/another-provider/passport-hubspot', '--json'], {
      environment: { HUBSPOT_CLIENT_ID: 'id', HUBSPOT_API_URL: emulator.salesloft.origin },
      folder: ROOT,
      print: (text) => (out += text),
      printError: () => undefined,
      now: Date.now,
    }).finally(() => {
      dns.lookup = lookup;
    });
    expect(status).to.equal(1);
    const { findings } = JSON.parse(out) as Printed;
    const wrongs = findings.filter(({ verdict }) => verdict === 'wrong');
    expect(wrongs.map(({ says }) => says)).to.deep.equal([
      'HUBSPOT_CLIENT_SECRET is not set.',
      'app.hubspot.com cannot be asked: the host name could not be resolved.',
    ]);
    const { host } = new URL(emulator.salesloft.origin);
    expect(findings.map(({ says }) => says)).to.include(`${host} answers.`);
  });

  it('docs/check.md — names every option, part and verdict', async () => {
    let help = '';
    await main(['--help'], {
      environment: {},
      folder: ROOT,
      print: (text) => (help += text),
      printError: () => undefined,
      now: Date.now,
    });
    const page = readFileSync(join(ROOT, 'docs/check.md'), 'utf8');
    const options = Array.from(help.matchAll(/^ {2}(--[a-z-]+)/gm), ([, option = '']) => option);
    const { findings } = await report('salesos');
    const words = findings.flatMap(({ part, verdict }) => [`\`${part}\``, `\`${verdict}\``]);
    expect(options.length).to.be.greaterThan(8);
    const common = ['--help', '--version'];
    const missing = [...options, ...words].filter((one) => !page.includes(one));
    expect(missing.filter((one) => !common.includes(one))).to.deep.equal([]);
  });

  it('the command — is a program, with its exit status', async () => {
    const runs = ['', 'a-wrong-secret'].map(async (clientSecret) => {
      const changes: Record<string, string> = clientSecret === '' ? {} : { clientSecret };
      const child = spawn(
        process.execPath,
        [join(LIB, 'command.js'), 'check', packageOf('salesforce').name],
        {
          cwd: ROOT,
          env: { PATH: process.env.PATH, ...environmentOf('salesforce', changes) },
          stdio: ['ignore', 'pipe', 'inherit'],
        },
      );
      const out = await textOf(child.stdout);
      return [child.exitCode ?? (await once(child, 'exit'))[0], out.split('\n').at(-2)];
    });
    expect(await Promise.all(runs)).to.deep.equal([
      [0, 'Nothing is wrong.'],
      [1, 'One thing is wrong.'],
    ]);
  });
});
