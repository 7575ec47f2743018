/** The packed packages in test runners that load modules in ways of their own. */
import { copyFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import { ROOT, STRATEGIES } from '../support/packages';
import { createProject, pack, remove, runNode, temporaryFolder } from './project';
import { RUNNERS, installRunners } from './runners';

const INSTALL_LIMIT_MS = 300_000;

/** As an application writes its test: the real strategy, the real emulator, no server. */
const SUITE = `
const { SealedValues } = require('crm-oauth2');
const { startEmulator } = require('crm-emulator');
const { Browser } = require('./browser.js');

const callbackURL = 'https://app.test/callback';
const secrets = ['a secret of at least thirty-two characters'];
let emulator;
beforeAll(async () => {
  emulator = await startEmulator({ callbackURLs: [callbackURL] });
});
afterAll(() => emulator.close());

/** One call of a strategy: the verb, and its arguments. */
function run(strategy, url, cookies) {
  return new Promise((resolve) => {
    const headers = { host: 'app.test', cookie: cookies.join('; ') };
    const set = (name, value) => cookies.push(...[value].flat().map((text) => text.split(';')[0]));
    const res = { getHeader: () => undefined, setHeader: set };
    const verbs = ['success', 'fail', 'redirect', 'error'].map((verb) => [
      verb,
      (...values) => resolve({ verb, values }),
    ]);
    const copy = Object.assign(Object.create(strategy), Object.fromEntries(verbs));
    copy.authenticate({ method: 'GET', url, headers, res });
  });
}

test.each(PACKAGES)('logs in: %s', async (name, provider) => {
  const Strategy = require(name);
  const verify = ({ profile }) => profile;
  const store = new Strategy.CookieStateStore({ secrets });
  const options = { ...emulator[provider].options, callbackURL, verify, store };
  const strategy = new Strategy(options);
  const cookies = [];
  const started = await run(strategy, '/login', cookies);
  expect(started.verb).toBe('redirect');
  const back = new URL(await new Browser().signIn(started.values[0], 'Zoë Ångström'));
  const { verb, values } = await run(strategy, back.pathname + back.search, cookies);
  expect([verb, values[0].displayName]).toEqual(['success', 'Zoë Ångström']);
});

test('seals and opens', async () => {
  const values = new SealedValues(secrets);
  expect(await values.open('key', await values.seal('key', 'value'))).toBe('value');
});
`;

describe('packages in test runners', function () {
  this.timeout(120_000);
  let folder: string;

  before('install the runners', async function () {
    this.timeout(INSTALL_LIMIT_MS);
    installRunners();
    folder = await temporaryFolder();
    await createProject(folder, await pack(folder), ['jose', 'oidc-provider', 'passport-oauth2']);
    await copyFile(join(ROOT, 'build', 'support', 'browser.js'), join(folder, 'browser.js'));
  });
  after(() => remove(folder));

  it('Jest in CommonJS mode, without flags — logs in with all three, and opens sealed values', async () => {
    const names = STRATEGIES.map(({ name, folder: home }) => [
      name,
      home.split('/').at(-1)?.split('-')[1] ?? '',
    ]);
    const suite = SUITE.replace('PACKAGES', JSON.stringify(names));
    await writeFile(join(folder, 'login.test.js'), suite);
    await writeFile(join(folder, 'package.json'), '{}');
    const jest = join(RUNNERS, 'node_modules', 'jest', 'bin', 'jest.js');
    const { status, output } = await runNode(folder, [jest, '--ci', `--rootDir=${folder}`]);
    expect(status, output).to.equal(0);
    expect(output).to.match(/Tests: +4 passed, 4 total/);
  });
});
