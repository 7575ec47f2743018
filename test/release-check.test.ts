/** The release check: each thing that may be missing, with the sentence and the remedy. */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import type { Package } from './support/packages';
import { Repository, answer } from './support/repository';
import type { Ran } from './support/repository';

interface Finding {
  kind: 'missing' | 'unknown' | 'known';
  sentence: string;
  remedy?: string;
}
type Ask = (parameters: string[]) => Promise<Ran>;
interface Context {
  root: string;
  packages: readonly Package[];
  ask?: Ask;
  checks?: unknown[];
}
type Checks = Record<`check${string}`, unknown> & {
  findingsOf: (context: Context) => Promise<Finding[]>;
  report: (findings: readonly Finding[]) => string;
};

const script = require('../scripts/release-check.js') as Checks;
const { findingsOf, report } = script;

describe('release check', () => {
  let repository: Repository;
  beforeEach(() => {
    repository = new Repository();
  });
  afterEach(() => repository.remove());

  const check = async (name: string, ask?: Ask) =>
    await findingsOf({
      root: repository.root,
      packages: repository.packages,
      ...(ask && { ask }),
      checks: [script[`check${name}`]],
    });

  /** Expects one point, and returns its sentence with its remedy. */
  const point = async (name: string, ask?: Ask, kind = 'missing') => {
    const points = (await check(name, ask)).filter((finding) => finding.kind !== 'known');
    expect(points.map((one) => one.kind)).to.deep.equal([kind]);
    return `${points[0]?.sentence} → ${points[0]?.remedy}`;
  };

  for (const name of ['Address', 'Versions', 'Changelog', 'Licences', 'Provenance', 'Documents']) {
    it(`${name} — is in order when nothing is missing`, async () => {
      expect((await check(name)).map(({ kind }) => kind)).to.deep.equal(['known']);
    });
  }

  it('Address — refuses a placeholder', async () => {
    const url = 'git+https://git.example.invalid/owner/things.git';
    repository.change('package.json', { repository: { type: 'git', url } });
    const points = await check('Address');
    expect(points[0]?.sentence).to.equal(
      'The address of the repository is a placeholder: https://git.example.invalid/owner/things.',
    );
    expect(points[0]?.remedy).to.contain('"repository.url" of package.json');
    expect(points[1]?.sentence).to.equal(
      'packages/crm-thing/package.json does not have the address in package.json.',
    );
  });

  it('Address — says which form it has', async () => {
    for (const repositoryField of [undefined, { url: 'github:us/things' }]) {
      repository.change('package.json', { repository: repositoryField });
      expect(await point('Address')).to.contain('git+https://HOST/PATH.git');
    }
  });

  it('Versions — names what differs from lerna.json', async () => {
    repository.change('packages/crm-thing/package.json', { version: '0.2.0' });
    expect(await point('Versions')).to.equal(
      'The version in packages/crm-thing/package.json is 0.2.0, and lerna.json says 0.1.0. → ' +
        'Write 0.1.0. `npm run release` changes all versions together.',
    );
  });

  it('Versions — names a lock that is behind, and the range of another package', async () => {
    repository.add('passport-thing', { dependencies: { 'crm-thing': '^0.0.9' } });
    const sentences = (await check('Versions')).map(({ sentence }) => sentence);
    expect(sentences).to.deep.equal([
      'The version of passport-thing in package-lock.json is absent, and lerna.json says 0.1.0.',
      'The range of crm-thing in packages/passport-thing/package.json is ^0.0.9, and lerna.json says 0.1.0.',
    ]);
  });

  it('Changelog — asks for an entry', async () => {
    repository.write('CHANGELOG.md', '# Changelog\n\n## Unreleased\n');
    expect(await point('Changelog')).to.contain('Write under "## Unreleased"');
    rmSync(join(repository.root, 'CHANGELOG.md'));
    await point('Changelog');
  });

  it('Changelog — takes the entry of this version at its tag, and not after it', async () => {
    repository.clone();
    repository.write(
      'CHANGELOG.md',
      '# Changelog\n\n## Unreleased\n\n## 0.1.0 - 2026-01-02\n\n- A.\n',
    );
    repository.commit();
    repository.git('tag', 'v0.1.0');
    expect((await check('Changelog'))[0]?.kind).to.equal('known');
    repository.commit();
    expect(await point('Changelog')).to.contain('no change since the last release');
  });

  it('Git — counts the files of a dirty tree', async () => {
    repository.clone();
    expect((await check('Git'))[0]).to.include({ kind: 'known', sentence: 'The tree is clean.' });
    repository.write('README.md', '# Other things\n');
    expect(await point('Git')).to.contain('1 file differs from the last commit. → Commit them');
  });

  it('Git — asks for a remote', async () => {
    repository.clone();
    repository.git('remote', 'remove', 'origin');
    expect(await point('Git')).to.contain('git remote add origin');
  });

  it('Git — names another repository, and no password', async () => {
    repository.clone();
    repository.git('remote', 'set-url', 'origin', 'https://name:secret@code.example/them/things');
    const sentence = await point('Git');
    expect(sentence).to.contain('another repository').and.not.contain('secret');
    repository.git('remote', 'set-url', 'origin', 'git@code.example:us/things.git');
    expect((await check('Git'))[0]?.kind).to.equal('known');
  });

  it('Git — cannot know outside a clone', async () => {
    repository.clone();
    rmSync(join(repository.root, '.git'), { recursive: true });
    expect(await point('Git', undefined, 'unknown')).to.contain('in a clone');
  });

  it('Licences — names a file that is absent, and a field that differs', async () => {
    rmSync(join(repository.root, 'packages/crm-thing/LICENSE'));
    repository.change('packages/crm-thing/package.json', { license: 'ISC' });
    const remedies = (await check('Licences')).map(({ remedy }) => remedy);
    expect(remedies).to.deep.equal([
      'Run `cp LICENSE packages/crm-thing/`.',
      'Write "license": "MIT".',
    ]);
  });

  it('Licences — names built-in code whose licence is absent', async () => {
    const code = '// ../../node_modules/@a/b/index.js\n// node_modules/jose/dist/key.js\n';
    repository.write('packages/crm-thing/lib/jose.js', code);
    repository.write('packages/crm-thing/lib/jose.js.LICENSES.txt', 'jose 6.2.0\n\nMIT\n');
    expect(await point('Licences')).to.contain('lib/jose.js contains @a/b, whose licence');
  });

  it('Provenance — names a manifest and a workflow without it', async () => {
    repository.change('packages/crm-thing/package.json', { publishConfig: { access: 'public' } });
    expect(await point('Provenance')).to.contain('crm-thing/package.json does not ask');
    rmSync(join(repository.root, '.github'), { recursive: true });
    expect((await check('Provenance'))[1]?.remedy).to.contain('"id-token: write"');
  });

  it('Documents — names a page that takes the packages for unpublished', async () => {
    repository.write('docs/guide/start.md', 'Until the package is published, pack it.\n');
    expect(await point('Documents'))
      .to.contain('not published: docs/guide/start.md.')
      .and.contain('npm install');
  });

  const view = (json: unknown) => async () => await Promise.resolve(answer(JSON.stringify(json)));

  it('Names — tells free, own and taken names', async () => {
    const free = await check('Names', view({ error: { code: 'E404' } }));
    expect(free).to.deep.equal([{ kind: 'known', sentence: 'Free in the registry: crm-thing.' }]);
    const own = { version: '0.0.9', 'repository.url': 'git+https://code.example/us/things.git' };
    expect((await check('Names', view(own)))[0]?.sentence).to.contain(
      'of this repository: crm-thing',
    );
    const other = { version: '0.0.1', 'repository.url': 'git+https://code.example/them/thing.git' };
    expect(await point('Names', view(other))).to.match(
      /^The registry has crm-thing 0\.0\.1, of another repository\. → Ask its owner/,
    );
    await point('Names', view({ version: '0.0.1' }));
  });

  it('Names — says offline that it cannot know', async () => {
    const said = /cannot know if these names are free: crm-thing\. → Run it again with a network/;
    expect(await point('Names', view({ error: { code: 'ENOTFOUND' } }), 'unknown')).to.match(said);
    const silent = async () => await Promise.resolve(answer('', 1));
    expect(await point('Names', silent, 'unknown')).to.match(said);
  });

  it('report — has what needs work last, each with its remedy, and counts it', () => {
    const text = report([
      { kind: 'missing', sentence: 'A is absent.', remedy: 'Write A.' },
      { kind: 'known', sentence: 'B is there.' },
      { kind: 'unknown', sentence: 'C gave no answer.', remedy: 'Ask C again.' },
    ]);
    expect(text.split('\n').filter(Boolean)).to.deep.equal([
      'In order',
      '- B is there.',
      'Missing',
      '- A is absent.',
      '    Write A.',
      'Not known',
      '- C gave no answer.',
      '    Ask C again.',
      '2 points keep the release from being published.',
    ]);
    expect(report([])).to.equal('The release can be published.');
  });
});
