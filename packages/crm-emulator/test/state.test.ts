/** The option `state`: ports, keys and everything issued survive a restart. */
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { type Emulator, type EmulatorOptions, startEmulator } from 'crm-emulator';
import { Client, get, type Json, NAMES } from './client.js';

describe('crm-emulator: state', function () {
  this.timeout(60_000);
  let folder: string;
  let state: string;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'crm-emulator-'));
  });

  beforeEach(() => {
    state = join(folder, `state-${Math.random()}.json`);
  });

  after(() => rm(folder, { recursive: true }));

  async function running<T>(
    use: (emulator: Emulator) => Promise<T>,
    options: EmulatorOptions = {},
  ) {
    const emulator = await startEmulator({ state, ...options });
    try {
      return await use(emulator);
    } finally {
      await emulator.close();
    }
  }

  const eachClient = async (emulator: Emulator, use: (client: Client) => Promise<void>) => {
    for (const name of NAMES) await use(new Client(emulator, name));
  };

  it('a restart — keeps origins, keys, access tokens, refresh tokens, codes and sign-ins', async () => {
    const held: Record<string, { tokens: Json; code: string | undefined; page: string }> = {};
    const before = await running(async (emulator) => {
      await eachClient(emulator, async (client) => {
        const tokens = await client.login('Suri');
        const { code } = await client.signIn('Suri');
        held[client.name] = { tokens, code, page: (await client.page()).url };
      });
      await emulator.salesos.rotateKeys();
      return (await get(`${emulator.salesos.origin}/.well-known/jwks.json`)).json;
    });
    await running(async (emulator) => {
      await eachClient(emulator, async (client) => {
        const { tokens, code, page } = held[client.name]!;
        expect((await client.profile(tokens)).status, client.name).to.equal(200);
        expect((await client.refresh(tokens)).status, client.name).to.equal(200);
        expect((await client.exchange(code)).status, client.name).to.equal(200);
        expect((await get(page)).text).to.include('Who is signing in?');
      });
      const { json } = await get(`${emulator.salesos.origin}/.well-known/jwks.json`);
      expect(json).to.deep.equal(before).and.have.property('keys').with.lengthOf(3);
    });
  });

  it('a restart — keeps what was revoked, used or replaced', async () => {
    const [old, code] = await running(async (emulator) => {
      const client = new Client(emulator, 'salesos');
      const signedIn = await client.signIn('Suri');
      const tokens = (await client.exchange(signedIn['code'])).json;
      await client.refresh(tokens);
      return [tokens, signedIn['code']];
    });
    await running(async (emulator) => {
      const client = new Client(emulator, 'salesos');
      expect((await client.refresh(old)).json).to.include({ error: 'invalid_grant' });
      expect((await client.exchange(code)).json).to.include({ error: 'invalid_grant' });
    });
  });

  it('the file — is for its owner alone, and is whole as soon as a token was answered', async () => {
    await running(async (emulator) => {
      const { refresh_token: token } = await new Client(emulator, 'salesloft').login('Suri');
      const kept = JSON.parse(await readFile(state, 'utf8')) as { version: number };
      expect(kept.version).to.equal(1);
      expect(JSON.stringify(kept)).to.include(String(token));
      expect((await stat(state)).mode & 0o777).to.equal(0o600);
    });
  });

  it('another file — is refused, and stays as it is', async () => {
    for (const text of ['{"name":"a-package"}', 'not JSON', '']) {
      await writeFile(state, text);
      const error: unknown = await startEmulator({ state }).catch((one: unknown) => one);
      expect(error).to.be.an('error').with.property('message').that.includes('is not a state');
      expect(await readFile(state, 'utf8')).to.equal(text);
    }
  });

  it('another port — is refused, because tokens name the first one', async () => {
    const port = await running((emulator) =>
      Promise.resolve(Number(new URL(emulator.salesloft.origin).port)),
    );
    const error: unknown = await startEmulator({ state, port: port + 1 }).catch(
      (one: unknown) => one,
    );
    expect(error).to.be.instanceOf(TypeError).with.property('message').that.includes(String(port));
  });
});
