/** The engine below the emulator: its version, and that none of its own words reach an application. */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { expect } from 'chai';
import { type Emulator, REFUSALS, startEmulator } from 'crm-emulator';
import { CALLBACK, Client, type Fields, NAMES, refusedAt } from './client.js';

const versionIn = (file: string | URL) =>
  JSON.parse(readFileSync(file, 'utf8')) as { version: string; dependencies: Fields };

describe('crm-emulator: engine', () => {
  let emulator: Emulator;

  before(async function () {
    this.timeout(60_000);
    emulator = await startEmulator({ pkce: 'required' });
  });

  after(() => emulator.close());

  it('is pinned to the version that is installed', () => {
    const own = versionIn(new URL('../package.json', import.meta.url));
    const require = createRequire(import.meta.url);
    const { version } = versionIn(require.resolve('oidc-provider/package.json'));
    expect(own.dependencies['oidc-provider']).to.equal(version);
  });

  const none = undefined;
  const WRONG_AUTHORIZATIONS: Record<string, Fields> = {
    'no response type': { response_type: none },
    'another response type': { response_type: 'token' },
    'no challenge': { code_challenge: none, code_challenge_method: none },
    'a challenge without a value': { code_challenge: none },
    'a short challenge': { code_challenge: 'short' },
    'a plain challenge': { code_challenge_method: 'plain' },
    'no prompt': { prompt: 'none' },
  };
  const WRONG_TOKENS: Record<string, Fields> = {
    'an invented code': { code: 'invented' },
    'no code': { code: none },
    'no redirect URI': { redirect_uri: none },
    'another redirect URI': { redirect_uri: `${CALLBACK}/` },
    'no verifier': { code_verifier: none },
    'a short verifier': { code_verifier: 'short' },
    'a wrong verifier': { code_verifier: 'v'.repeat(43) },
    'no grant type': { grant_type: none },
    'an unknown grant type': { grant_type: 'password' },
    'a wrong secret': { client_secret: 'wrong' },
    'no secret': { client_secret: none },
    'an unknown client': { client_id: 'unknown' },
    'a replayed refresh token': { grant_type: 'refresh_token', refresh_token: 'invented' },
  };

  /** Sentences of the engine begin in lower case and name parameters of its own. */
  const OWN_WORDS =
    /must (?:only )?be|mismatch$|not supported value|policy requires|is invalid \(|not found$|already used|request is invalid|client authentication failed/;

  for (const name of NAMES) {
    it(`${name} — refuses in its own words`, async () => {
      const client = new Client(emulator, name);
      const known = REFUSALS.map(({ answers }) => answers[name]).join('\n');
      const isOwn = (words = '') =>
        !OWN_WORDS.test(words) ||
        known.includes(words) ||
        /must be S256|not be repeated/.test(words);
      for (const [title, changes] of Object.entries(WRONG_AUTHORIZATIONS)) {
        const refused = await refusedAt(client.authorizationURL(changes));
        expect(refused, title).to.have.property('error');
        expect(isOwn(refused['error_description']), refused['error_description']).to.equal(true);
      }
      for (const [title, changes] of Object.entries(WRONG_TOKENS)) {
        const { code } = await client.signIn('Suri');
        const { status, json } = await client.exchange(code, changes);
        expect(status, title).to.be.within(400, 403);
        expect(isOwn(String(json['error_description'])), title).to.equal(true);
      }
    });
  }
});
