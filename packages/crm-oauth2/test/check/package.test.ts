/** The description of a provider, found in a package or a file. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { expect } from 'chai';
import { PackageError, findProvider } from '../../dist/check/package';
import { rejection } from '../support';

const ACME = `({ name: 'acme', title: 'Acme', endpoints: () => ({}) })`;
const HIVE = `({ name: 'hive', title: 'Hive', endpoints: () => ({}) })`;

const FILES = {
  'node_modules/passport-acme/package.json': '{ "name": "passport-acme", "version": "1.2.3" }',
  'node_modules/passport-acme/index.js': `
    class Strategy {}
    Strategy.acme = Object.freeze(${ACME});
    Strategy.default = Strategy;
    module.exports = Strategy;`,
  'node_modules/passport-esm/package.json':
    '{ "name": "passport-esm", "type": "module", "exports": { "import": "./index.js" } }',
  'node_modules/passport-esm/index.js': `export const acme = ${ACME};`,
  'late.mjs': `await null; export const acme = ${ACME};`,
  'both.js': `module.exports = { acme: ${ACME}, hive: ${HIVE} };`,
  'by-default.js': `exports.default = { acme: ${ACME} };`,
  'none.js': `module.exports = { acme: { name: 'acme' }, hive: null, list: [], title: 'x' };`,
  'nothing.js': `module.exports = null;`,
  'broken.js': `throw new Error('it broke\\nwith details');`,
  'needs.js': `require('not-there');`,
};

describe('package of a provider', () => {
  let folder: string;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'crm-oauth2-package-'));
    for (const [name, text] of Object.entries(FILES)) {
      mkdirSync(dirname(join(folder, name)), { recursive: true });
      writeFileSync(join(folder, name), text);
    }
  });
  after(() => rmSync(folder, { recursive: true }));

  it('a strategy — has its description as a property, and a version', async () => {
    const { provider, version } = await findProvider('passport-acme', folder);
    expect(provider).to.include({ name: 'acme', title: 'Acme' });
    expect(version).to.equal('1.2.3');
  });

  it('a file — is found from the folder, and its description gets the defaults', async () => {
    const { provider, version } = await findProvider('./by-default.js', folder);
    expect(provider).to.include({ idToken: 'none', clientAuthentication: 'client_secret_post' });
    expect(Object.isFrozen(provider)).to.equal(true);
    expect(version).to.equal(undefined);
  });

  it('an ES module — is imported where it cannot be required', async () => {
    expect((await findProvider('./late.mjs', folder)).provider.name).to.equal('acme');
  });

  it('several — are told apart by name', async () => {
    expect((await findProvider('./both.js', folder, 'hive')).provider.title).to.equal('Hive');
  });

  for (const [name, wanted, words] of [
    [
      './both.js',
      undefined,
      './both.js describes several providers: choose one with --provider: acme, hive.',
    ],
    ['./both.js', 'bee', './both.js describes acme, hive only.'],
    [
      './none.js',
      undefined,
      './none.js exports no description of a provider, as defineProvider() of crm-oauth2 makes it.',
    ],
    [
      './nothing.js',
      undefined,
      './nothing.js exports no description of a provider, as defineProvider() of crm-oauth2 makes it.',
    ],
    [
      'passport-none',
      undefined,
      'passport-none is not installed here. Run the command in the folder of the application.',
    ],
    ['./broken.js', undefined, './broken.js cannot be loaded: it broke'],
    ['./needs.js', undefined, "./needs.js cannot be loaded: Cannot find module 'not-there'"],
  ] as const) {
    it(`refused — "${words}"`, async () => {
      const error = await rejection(findProvider(name, folder, wanted));
      expect(error).to.be.instanceOf(PackageError);
      expect(error.message).to.equal(words);
    });
  }
});
