/** The command: its exit status, and what it prints where. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { main } from '../../dist/check/index';
import type { Environment } from '../../dist/check/variables';
import { SECRET, portOf, rejection, useRealSockets } from '../support';
import { environmentOf, startAcme } from './support';
import type { Answers } from './support';
import { createServer } from 'node:http';

/** The provider of `support.ts`, without ID Tokens, as a file that the command loads. */
const FILE = `
const at = (issuer) => ({ authorizationEndpoint: issuer + '/authorize', tokenEndpoint: issuer + '/token', userInfoEndpoint: issuer + '/me' });
exports.acme = { name: 'acme', title: 'Acme', options: { issuer: 'url' }, endpoints: ({ issuer = 'https://id.acme.test' }) => at(issuer) };
`;

async function unusedPort(): Promise<number> {
  const server = createServer();
  const port = await portOf(server);
  await new Promise((resolve) => server.close(resolve));
  return port;
}

describe('command crm-oauth2', () => {
  useRealSockets();
  let folder: string;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'crm-oauth2-command-'));
    writeFileSync(join(folder, 'acme.js'), FILE);
  });
  after(() => rmSync(folder, { recursive: true }));

  async function run(
    argv: readonly string[],
    environment: Environment = {},
    printError: (text: string) => void = () => undefined,
  ) {
    let out = '';
    let err = '';
    const status = await main(argv, {
      environment,
      folder,
      print: (text) => (out += text),
      printError: (text) => {
        err += text;
        printError(text);
      },
      now: Date.now,
    });
    expect(`${out}${err}`).to.not.contain(SECRET);
    return { status, out, err };
  }

  const check = async (
    argv: readonly string[],
    changes: Environment = {},
    answers: Answers = {},
  ) => {
    const { issuer } = await startAcme(answers);
    return await run(['check', './acme.js', ...argv], environmentOf(issuer, changes));
  };

  it('a right set-up — exits with 0', async () => {
    const { status, out, err } = await check([]);
    expect({ status, err }).to.deep.equal({ status: 0, err: '' });
    expect(out)
      .to.match(/^Acme \(\.\/acme\.js\)\n\nright /)
      .and.match(/\nNothing is wrong\.\n$/);
  });

  it('a wrong one — exits with 1', async () => {
    const { status, out } = await check([], { ACME_CLIENT_ID: '' });
    expect(status).to.equal(1);
    expect(out).to.contain('wrong     ACME_CLIENT_ID has no value.');
  });

  it('--json — prints one object', async () => {
    const { status, out } = await check(['--json'], { ACME_CLIENT_SECRET: 'another-secret' });
    expect(status).to.equal(1);
    expect(JSON.parse(out)).to.include({ provider: 'acme', title: 'Acme', wrong: 1 });
  });

  it('--callback, --prefix, --public — change the set-up', async () => {
    const { issuer } = await startAcme();
    const argv = [
      'check',
      './acme.js',
      '--prefix',
      'MY',
      '--public',
      '--callback',
      'https://a.test/cb',
    ];
    const { out } = await run(argv, { MY_CLIENT_ID: 'client-1', MY_ISSUER: issuer });
    expect(out)
      .to.contain('MY_CLIENT_ID is set.')
      .and.contain('The callback URL https://a.test/cb is not registered.');
  });

  it('misuse — exits with 2, and explains itself on the other stream', async () => {
    const usage = await run(['chekc']);
    expect(usage).to.include({ status: 2, out: '' });
    expect(usage.err).to.match(/^crm-oauth2: the command is "check"\.\n\nUsage: /);
    const missing = await run(['check', 'passport-none']);
    expect(missing).to.include({ status: 2, out: '' });
    expect(missing.err).to.equal(
      'crm-oauth2: passport-none is not installed here. Run the command in the folder of the application.\n',
    );
  });

  it('--help, --version — exit with 0', async () => {
    expect(await run(['--help'])).to.include({ status: 0, err: '' });
    const { status, out } = await run(['--version']);
    expect(status).to.equal(0);
    expect(out).to.match(/^\d+\.\d+\.\d+\n$/);
  });

  it('a fault of the program — is thrown on', async () => {
    const file = join(folder, 'faulty.js');
    writeFileSync(
      file,
      `exports.a = { name: 'a', title: 'A', endpoints() { throw new RangeError('bug') } };`,
    );
    expect(await rejection(run(['check', file]))).to.be.instanceOf(RangeError);
  });

  describe('--login', () => {
    const PERSON: Answers = {
      '/token': ({ fields }) =>
        fields.code === 'c0de'
          ? { body: { access_token: 'token-of-suri', token_type: 'Bearer' } }
          : {
              status: 400,
              body: { error: fields.client_secret === SECRET ? 'invalid_grant' : 'invalid_client' },
            },
      '/authorize': ({ query }) =>
        query.client_id === 'client-1' && query.redirect_uri?.startsWith('http://localhost')
          ? { status: 302, headers: { location: '/sign-in' } }
          : { status: 400, body: `no ${query.client_id === 'client-1'}` },
      '/me': () => ({ body: { sub: 'suri', name: 'Suri' } }),
    };

    /** Runs with a browser that comes back with the query. */
    async function login(query: string, argv: readonly string[] = [], answers = PERSON) {
      const { issuer } = await startAcme(answers);
      const callback = `http://localhost:${await unusedPort()}/cb`;
      const environment = environmentOf(issuer, { ACME_CALLBACK_URL: callback });
      return await run(['check', './acme.js', '--login', ...argv], environment, (text) => {
        const url = /^http\S+$/m.exec(text)?.[0];
        if (url === undefined) return;
        const state = new URL(url).searchParams.get('state');
        fetch(`${callback}?${query}&state=${state}`).catch(() => undefined);
      });
    }

    it('prints the address on the other stream, and the report without values', async () => {
      const { status, out, err } = await login('code=c0de');
      expect(status, out).to.equal(0);
      expect(err).to.match(/^Open this address in a browser, and log in:\n\nhttp:/);
      expect(out)
        .to.contain('right     A login ended well.')
        .and.match(/### Acme, \d{4}-\d\d-\d\d/)
        .and.contain('| access_token | text |');
      for (const value of ['token-of-suri', 'Suri', 'c0de']) expect(out).to.not.contain(value);
    });

    it('--json — has the report in the object', async () => {
      const { out } = await login('code=c0de', ['--json']);
      const { login: report } = JSON.parse(out) as { login: { provider: string } };
      expect(report.provider).to.equal('Acme');
    });

    it('a refusal — is wrong, with its code', async () => {
      const { status, out } = await login('error=access_denied', ['--json']);
      expect(status).to.equal(1);
      const { findings } = JSON.parse(out) as { findings: { says: string; code: string }[] };
      expect(findings.at(-1)).to.include({
        part: 'login',
        verdict: 'wrong',
        says: 'The login failed: access_denied.',
        code: 'access_denied',
      });
    });

    it('no answer — is wrong', async () => {
      const { issuer } = await startAcme(PERSON);
      const callback = `http://localhost:${await unusedPort()}/cb`;
      const argv = ['check', './acme.js', '--login', '--wait', '1', '--callback', callback];
      const { status, out } = await run(argv, environmentOf(issuer));
      expect(status).to.equal(1);
      expect(out).to.contain('The login did not end: no answer came within 1 seconds.');
    });

    it('a set-up that is wrong — is mended first', async () => {
      const { out, err } = await check(['--login'], { ACME_CLIENT_SECRET: 'another-secret' });
      expect(err).to.equal('');
      expect(out).to.contain('No login was tried: mend first what is wrong.');
    });

    it('a callback elsewhere — cannot be listened at', async () => {
      const { status, out, err } = await check(['--login', '--json']);
      expect({ status, err }).to.deep.equal({ status: 0, err: '' });
      const { findings } = JSON.parse(out) as { findings: { says: string; mend: string }[] };
      expect(findings.at(-1)).to.include({
        part: 'login',
        verdict: 'unknown',
        says: 'No login was tried: ACME_CALLBACK_URL is not an http address of this machine.',
        mend: 'Register http://localhost:3000/auth/acme/callback in the app too, and pass it with --callback.',
      });
    });
  });
});
