/** The command `crm-emulator`, run as a process. */
import { spawn } from 'node:child_process';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { expect } from 'chai';

const cli = join(
  dirname(createRequire(__filename).resolve('crm-emulator/package.json')),
  'dist',
  'cli.js',
);

interface Result {
  code: number | null;
  out: string;
  err: string;
}

/** Runs the command; sends it the signal, if given, once it has printed everything. */
async function run(args: string[], signal?: NodeJS.Signals): Promise<Result> {
  const child = spawn(process.execPath, [cli, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
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

describe('crm-emulator: command', () => {
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
