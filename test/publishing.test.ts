/** The scripts of a release: addresses in manifests, links of packed READMEs, the changelog, the workflows. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { PACKAGES, ROOT } from './support/packages';
import type { Package } from './support/packages';
import { Repository } from './support/repository';

interface Content {
  folder: string;
  version: string;
  files: string[];
}

const { staleManifests } = require('../scripts/manifests.js') as {
  staleManifests: (root: string, packages: readonly Package[]) => { file: string; text: string }[];
};
const { withWholeLinks } = require('../scripts/pack.js') as {
  withWholeLinks: (root: string, page: string, content: Content) => string;
};
const { changesOf, release } = require('../scripts/changelog.js') as {
  changesOf: (text: string, version: string) => string | undefined;
  release: (text: string, version: string, date: string) => string;
};

describe('publishing', () => {
  let repository: Repository;
  before(() => {
    repository = new Repository();
  });
  after(() => repository.remove());

  const thing = { folder: 'packages/crm-thing', version: '0.1.0', files: ['README.md', 'LICENSE'] };
  const whole = (page: string) => withWholeLinks(repository.root, page, thing);
  const AT = 'https://code.example/us/things';

  describe('manifests', () => {
    it('have the address in package.json', () => {
      expect(staleManifests(ROOT, PACKAGES).map(({ file }) => file)).to.deep.equal([]);
    });

    it('get the fields behind their licence', () => {
      const url = 'git+https://code.example/others/things.git';
      repository.change('package.json', { repository: { url } });
      const [stale] = staleManifests(repository.root, repository.packages);
      repository.change('package.json', { repository: { url: `git+${AT}.git` } });
      const manifest = JSON.parse(stale?.text ?? '') as Record<string, unknown>;
      expect(Object.keys(manifest).slice(2, 6)).to.deep.equal([
        'license',
        'homepage',
        'bugs',
        'repository',
      ]);
      expect(manifest.repository).to.deep.equal({ type: 'git', url, directory: thing.folder });
      expect(staleManifests(repository.root, repository.packages)).to.deep.equal([]);
    });
  });

  describe('links of a packed README', () => {
    it('keeps addresses, headings and files of the package', () => {
      const page = '[a](https://a.example) [b](#b) [c](./LICENSE) [d](mailto:a@a.example)';
      expect(whole(page)).to.equal(page);
    });

    it('leads to files, folders and images of the tag', () => {
      expect(whole('[`a`](../../docs/things.md#all-things)')).to.equal(
        `[\`a\`](${AT}/blob/v0.1.0/docs/things.md#all-things)`,
      );
      expect(whole('[a](../../docs)')).to.equal(`[a](${AT}/tree/v0.1.0/docs)`);
      expect(whole('![a](../../docs/images/thing.png)')).to.equal(
        `![a](${AT}/raw/v0.1.0/docs/images/thing.png)`,
      );
      expect(whole('[a]: ../../docs/things.md\n')).to.equal(
        `[a]: ${AT}/blob/v0.1.0/docs/things.md\n`,
      );
      expect(whole('<img src="../../docs/images/thing.png">')).to.contain(`src="${AT}/raw/`);
    });

    it('leads to the repository for a file that is not packed', () => {
      expect(whole('[a](package.json)')).to.equal(
        `[a](${AT}/blob/v0.1.0/packages/crm-thing/package.json)`,
      );
    });

    it('leaves code alone', () => {
      const page = 'Say `[a](../../b)`.\n\n```md\n[a](../../b)\n```\n';
      expect(whole(page)).to.equal(page);
    });

    it('refuses a link to nothing, and one out of the repository', () => {
      for (const target of ['../../docs/none.md', '../../../outside.md']) {
        expect(() => whole(`[a](${target})`)).to.throw(`leads to ${target}, which does not exist`);
      }
    });
  });

  describe('changelog', () => {
    const HEAD = '# Changelog\n\nThe changes.\n\n';
    const OLDER = '## 0.1.0 - 2026-01-02\n\n- Old.\n';

    it('gives the unreleased changes a version and a date', () => {
      const text = `${HEAD}## Unreleased\n\n### Added\n\n- New.\n\n${OLDER}`;
      const released = release(text, '0.2.0', '2026-03-04');
      expect(released).to.equal(
        `${HEAD}## Unreleased\n\n## 0.2.0 - 2026-03-04\n\n### Added\n\n- New.\n\n${OLDER}`,
      );
      expect(changesOf(released, '0.2.0')).to.equal('### Added\n\n- New.');
      expect(changesOf(released, 'Unreleased')).to.equal('');
      expect(changesOf(released, '0.1.0')).to.equal('- Old.');
      expect(changesOf(released, '0.1')).to.equal(undefined);
    });

    it('changes nothing the second time', () => {
      const once = release(`${HEAD}## Unreleased\n\n- New.\n`, '0.1.0', '2026-01-02');
      expect(once).to.equal(`${HEAD}## Unreleased\n\n## 0.1.0 - 2026-01-02\n\n- New.\n`);
      expect(release(once, '0.1.0', '2026-05-06')).to.equal(once);
    });

    it('refuses a release without changes', () => {
      expect(() => release(HEAD, '0.1.0', '')).to.throw('no heading "## Unreleased"');
      expect(() => release(`${HEAD}## Unreleased\n\n${OLDER}`, '0.2.0', '')).to.throw(
        'lists nothing',
      );
    });

    it('of this repository — is one that a release can use', () => {
      const text = readFileSync(join(ROOT, 'CHANGELOG.md'), 'utf8');
      expect(changesOf(text, 'Unreleased')).not.to.equal(undefined);
    });
  });

  describe('workflows', () => {
    const read = (name: string) => readFileSync(join(ROOT, '.github/workflows', name), 'utf8');

    it('run .ci/run for each Node and each Passport that the packages support', () => {
      const text = read('test.yml');
      expect(text).to.contain('node: [20, 22, 24, 26]').and.contain("passport: ['0.6', '0.7']");
      expect(text).to.contain('- run: .ci/run');
    });

    it('pin each action to a commit, and give no more than a job needs', () => {
      for (const text of ['test.yml', 'release.yml'].map(read)) {
        for (const [, action = ''] of text.matchAll(/uses: (\S+)/g)) {
          expect(action).to.match(/^\.\/|@[\da-f]{40}$/);
        }
        expect(text).to.match(/^permissions:\n {2}contents: read$/m);
        expect(text).not.to.match(
          /pull_request_target|\$\{\{ *github\.(?:head_ref|event\.(?!\w+_name))/,
        );
      }
    });
  });
});
