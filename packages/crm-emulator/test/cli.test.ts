/** The command `crm-emulator`, run as a process. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import type { Emulator, ProviderName } from 'crm-emulator';
import { Client, get, type Json, send } from './client.js';

const COMMAND = fileURLToPath(new URL('../bin/crm-emulator.js', import.meta.url));

interface Result {
  code: number | null;
  out: string;
  err: string;
}

/** Runs the command; sends it the signal, if given, once it has printed everything. */
async function run(args: string[], signal?: NodeJS.Signals): Promise<Result> {
  const child = spawn(process.execPath, [COMMAND, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  let out = '';
  let err = '';
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    out += chunk;
    if (signal && out.includes('Stop with')) child.kill(signal);
  });
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => (err += chunk));
  return new Promise((resolve) => {
    child.once('close', (code) => resolve({ code, out, err }));
  });
}

interface Started {
  printed: string;
  /** The lines of the other stream, so far. */
  lines: string[];
  child: ChildProcess;
  /** A client that logs in as the printed options say. */
  client(name: ProviderName): Client;
}

/** Starts the command, and stops it after `use` has been given what it printed. */
async function withCommand(
  args: string[],
  use: (started: Started) => Promise<void>,
): Promise<void> {
  const child = spawn(process.execPath, [COMMAND, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  const closed = once(child, 'close');
  const lines: string[] = [];
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
    lines.push(...chunk.split('\n').filter(Boolean));
  });
  try {
    const printed = await new Promise<string>((resolve, reject) => {
      let text = '';
      child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk;
        if (text.includes('Stop with')) resolve(text);
      });
      child.once('close', () => reject(new Error(`it ended: ${lines.join('\n')}`)));
    });
    const client = (name: ProviderName) => {
      const options = optionsOf(printed)[name] ?? {};
      const origin = new RegExp(`^${name} {2}(http.+)$`, 'm').exec(printed)?.[1] ?? '';
      // The client needs no more of an emulator than its places and credentials.
      return new Client({ [name]: { origin, ...options } } as unknown as Emulator, name);
    };
    await use({ printed, lines, child, client });
  } finally {
    child.kill('SIGTERM');
    await closed;
  }
}

/** The options that the command prints, by the title of their provider. */
function optionsOf(printed: string): Record<string, Record<string, string>> {
  const found = printed.matchAll(/^(.+?) {2}http\S+\n {2}(\{.+\})$/gm);
  return Object.fromEntries(
    [...found].map(([, title = '', json = '']) => [
      title,
      JSON.parse(json) as Record<string, string>,
    ]),
  );
}

describe('crm-emulator: command', function () {
  this.timeout(60_000);
  let folder: string;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'crm-emulator-'));
  });

  after(() => rm(folder, { recursive: true }));

  it('--origins, --tolerant — print the origins, and accept credentials in a query', async () => {
    await withCommand(['--origins', '--tolerant', '--only', 'salesforce'], async ({ printed }) => {
      const json = /^ {2}(\{"login".+\})$/m.exec(printed)?.[1];
      const origins = JSON.parse(json ?? '{}') as Record<string, string>;
      expect(origins).to.have.all.keys('login', 'org', 'issuer', 'sandbox');
      // The strict mode refuses each parameter in this query, and says so.
      const query = 'client_id=x&client_secret=x&grant_type=refresh_token&refresh_token=x';
      const { json: refusal } = await send(`${origins['login']}/services/oauth2/token?${query}`, {
        method: 'POST',
      });
      expect(refusal).to.include({ error: 'invalid_client_id' });
      for (const origin of Object.values(origins)) {
        expect((await get(`${origin}/id/keys`)).status).to.equal(200);
      }
    });
  });

  it('--help, --version — print the text, and exit with 0', async () => {
    const [help, version] = await Promise.all([run(['--help']), run(['--version'])]);
    expect(help).to.include({ code: 0, err: '' });
    for (const option of [
      '--callback URL',
      '--client PROVIDER=ID:SECRET',
      '--state FILE',
      '--env',
    ]) {
      expect(help.out).to.include(option);
    }
    expect(version.out).to.match(/^\d+\.\d+\.\d+\n$/);
  });

  it('misuse — explains the mistake without its value, and exits with 2', async () => {
    const file = join(folder, 'not-people.json');
    await writeFile(file, '[{ "email": "ida@example.com" }]');
    const results = await Promise.all(
      [
        ['--prot', '4000'],
        ['--port', 'many'],
        ['--port', '65534'],
        ['--callback', 'nowhere'],
        ['extra'],
        ['--client', 'salesloft=id-and-secret'],
        ['--client', 'hubspot=id:secret'],
        ['--only', 'hubspot'],
        ['--token-ttl', '0'],
        ['--organization', 'org_1'],
        ['--people', file],
        ['--people', join(folder, 'missing.json')],
      ].map((args) => run(args)),
    );
    for (const { code, out, err } of results) {
      expect([code, out]).to.deep.equal([2, '']);
      expect(err).to.match(/^crm-emulator: .+\n\nUsage:/);
      expect(err).not.to.match(/id-and-secret|id:secret/);
    }
  });

  it('--only — starts the providers that are named, at ports in a row', async () => {
    await withCommand(['--only', 'salesloft'], async ({ printed }) => {
      expect(Object.keys(optionsOf(printed))).to.deep.equal(['salesloft']);
      expect((await get(optionsOf(printed)['salesloft']!['authorizationURL']!)).status).to.equal(
        400,
      );
    });
  });

  it('--port — a port that is taken: says which one, and what to do', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    try {
      const { code, out, err } = await run(['--only', 'salesloft', '--port', String(port)]);
      expect([code, out]).to.deep.equal([1, '']);
      expect(err).to.match(new RegExp(`^crm-emulator: port ${port} is taken\\. .+--port`));
    } finally {
      server.close();
    }
  });

  it('--client — registers the client of the caller, and prints it', async () => {
    const args = ['--only', 'salesloft', '--client', 'salesloft=my-app:its:secret'];
    await withCommand(args, async ({ printed, client }) => {
      expect(optionsOf(printed)['salesloft']).to.include({
        clientID: 'my-app',
        clientSecret: 'its:secret',
      });
      expect(await client('salesloft').login('Suri')).to.have.property('access_token');
    });
  });

  it('--people, --token-ttl — replace the people, and the life of access tokens', async () => {
    const file = join(folder, 'people.json');
    await writeFile(file, JSON.stringify([{ name: 'Ida Berg', admin: true }]));
    const args = ['--only', 'salesloft', '--people', file, '--token-ttl', '77'];
    await withCommand(args, async ({ client }) => {
      const salesloft = client('salesloft');
      const { html } = await salesloft.page();
      expect(html).to.include('Continue as Ida Berg').and.not.include('Marta Quill');
      expect(await salesloft.login('Ida Berg')).to.include({ expires_in: 77 });
    });
  });

  it('--rotate, --sandbox, --my-domain — Salesforce rotates, and has three places to log in', async () => {
    const args = ['--only', 'salesforce', '--rotate', '--sandbox', '--my-domain'];
    await withCommand(args, async ({ printed, client }) => {
      const salesforce = client('salesforce');
      const tokens = await salesforce.login('Suri');
      expect((await salesforce.refresh(tokens)).json).to.have.property('refresh_token');
      const options = optionsOf(printed);
      expect(options).to.have.all.keys('salesforce', 'salesforce sandbox', 'salesforce my domain');
      const places = Object.values(options).map(({ loginURL }) => loginURL);
      expect(new Set(places)).to.have.lengthOf(3);
      for (const place of places) expect((await get(`${place}/id/keys`)).status).to.equal(200);
    });
  });

  it('--organization — replaces the organizations of SalesOS', async () => {
    const args = ['--only', 'salesos', '--organization', 'org_1=bakery'];
    await withCommand(args, async ({ client }) => {
      const known = await client('salesos').signIn('Suri', { organization: 'bakery' });
      expect(known).to.have.property('code');
      const { headers } = await get(
        client('salesos').authorizationURL({ organization: 'harbour-bakery' }),
      );
      expect(headers['location']).to.include('parameter+organization+is+invalid');
    });
  });

  it('--verbose — prints a line for each request: no query, no secret, no sign-in', async () => {
    await withCommand(['--only', 'salesloft', '--verbose'], async ({ lines, client }) => {
      const salesloft = client('salesloft');
      const tokens = await salesloft.login('Suri');
      await salesloft.exchange('an-invented-code');
      await get(`${salesloft.origin}/v2/me?access_token=in-the-query`);
      for (let round = 0; round < 100 && lines.length < 7; round += 1) {
        await new Promise((resolve) => {
          setTimeout(resolve, 20);
        });
      }
      expect(lines.map((line) => line.replace(/^\d\d:\d\d:\d\d /, ''))).to.deep.equal([
        'Salesloft GET /oauth/authorize 303',
        'Salesloft GET /emulator/sign-in/… 200',
        'Salesloft POST /emulator/sign-in/… 303',
        'Salesloft GET /oauth/authorize/… 302',
        'Salesloft POST /oauth/token 200',
        'Salesloft POST /oauth/token 400 invalid_grant',
        'Salesloft GET /v2/me 401 No Bearer Token attached to request, please see documentation at',
      ]);
      expect(lines.join()).not.to.include(String(tokens['access_token']));
    });
  });

  it('--env — prints lines for a .env, and everything else as a comment', async () => {
    await withCommand(['--env', '--sandbox'], async ({ printed }) => {
      const lines = printed.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
      expect(lines.map((line) => line.split('=', 1)[0])).to.have.members([
        'SALESLOFT_CLIENT_ID',
        'SALESLOFT_CLIENT_SECRET',
        'SALESLOFT_AUTHORIZATION_URL',
        'SALESLOFT_TOKEN_URL',
        'SALESLOFT_PROFILE_URL',
        'SALESOS_CLIENT_ID',
        'SALESOS_CLIENT_SECRET',
        'SALESOS_ISSUER',
        'SALESFORCE_CLIENT_ID',
        'SALESFORCE_CLIENT_SECRET',
        'SALESFORCE_LOGIN_URL',
        'SALESFORCE_SANDBOX_CLIENT_ID',
        'SALESFORCE_SANDBOX_CLIENT_SECRET',
        'SALESFORCE_SANDBOX_LOGIN_URL',
      ]);
      const issuer = /^SALESOS_ISSUER=(.+)$/m.exec(printed)?.[1];
      expect((await get(`${issuer}.well-known/openid-configuration`)).json).to.include({ issuer });
    });
  });

  it('--state — tokens and origins survive a SIGKILL', async () => {
    const args = ['--only', 'salesos', '--state', join(folder, 'state.json')];
    let tokens: Json = {};
    let first = '';
    await withCommand(args, async ({ child, client }) => {
      first = client('salesos').origin;
      const old = await client('salesos').login('Suri');
      tokens = (await client('salesos').refresh(old)).json;
      child.kill('SIGKILL');
      await once(child, 'close');
    });
    await withCommand(args, async ({ client }) => {
      const salesos = client('salesos');
      expect(salesos.origin).to.equal(first);
      expect((await salesos.profile(tokens)).status).to.equal(200);
      const renewed = await salesos.refresh(tokens);
      expect(renewed.status).to.equal(200);
      expect((await salesos.refresh(renewed.json)).status).to.equal(200);
    });
  });

  it('--state — a port of the file that is taken: says what to do', async () => {
    const args = ['--only', 'salesloft', '--state', join(folder, 'two.json')];
    await withCommand(args, async () => {
      const { code, err } = await run(args);
      expect(code).to.equal(1);
      expect(err).to.match(/^crm-emulator: port \d+ is taken\. .+remove .+two\.json/);
    });
  });

  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    it(`${signal} — exits with 0, after the options of each provider were printed`, async () => {
      const { code, out, err } = await run(['--callback', 'https://app.example/cb'], signal);
      expect([code, err]).to.deep.equal([0, '']);
      expect(out).to.match(/^For development only/);
      const options = [...out.matchAll(/^ {2}(\{.+\})$/gm)].map(
        ([, json]) => JSON.parse(json ?? '') as Record<string, string>,
      );
      expect(options).to.have.lengthOf(3);
      for (const one of options) expect(one).to.include.keys('clientID', 'clientSecret');
    });
  }
});
