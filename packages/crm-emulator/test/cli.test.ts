/** The command `crm-emulator`, run as a process. */
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { get, send } from './client.js';

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

/** Starts the command, and stops it after `use` has been given what it printed. */
async function withCommand(args: string[], use: (printed: string) => Promise<void>): Promise<void> {
  const child = spawn(process.execPath, [COMMAND, ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const closed = new Promise((resolve) => child.once('close', resolve));
  try {
    const printed = await new Promise<string>((resolve, reject) => {
      let text = '';
      child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk;
        if (text.includes('Stop with')) resolve(text);
      });
      child.once('close', () => reject(new Error('it ended')));
    });
    await use(printed);
  } finally {
    child.kill('SIGTERM');
    await closed;
  }
}

describe('crm-emulator: command', () => {
  it('--origins, --tolerant — print the origins, and accept credentials in a query', async function () {
    this.timeout(60_000);
    await withCommand(['--origins', '--tolerant'], async (printed) => {
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
    expect(help.out).to.include('--callback URL');
    expect(version.out).to.match(/^\d+\.\d+\.\d+\n$/);
  });

  it('misuse — explains the mistake, and exits with 2', async () => {
    const results = await Promise.all([
      run(['--prot', '4000']),
      run(['--port', 'many']),
      run(['--callback', 'nowhere']),
      run(['extra']),
    ]);
    for (const { code, out, err } of results) {
      expect([code, out]).to.deep.equal([2, '']);
      expect(err).to.match(/^crm-emulator: .+\n\nUsage:/);
    }
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
