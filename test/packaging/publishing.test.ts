/** Packages as a release makes them: their links, the judgement of publint and attw, the order of publication. */
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { PACKAGES, ROOT } from '../support/packages';
import type { Package } from '../support/packages';
import { Repository, answer } from '../support/repository';
import type { Ran } from '../support/repository';
import { remove, temporaryFolder } from './project';

type Ask = (parameters: string[]) => Promise<Ran>;
interface Staged {
  name: string;
  files: string[];
  staged: string;
}
interface Context {
  root: string;
  packages: readonly Package[];
  ask: Ask;
}
interface Finding {
  kind: string;
  sentence: string;
  remedy?: string;
}

const { addressesOf } = require('../../scripts/manifests.js') as {
  addressesOf: (root: string) => { web: string };
};
const { stage, pack } = require('../../scripts/pack.js') as {
  stage: (root: string, packages: readonly Package[], into: string) => Promise<Staged[]>;
  pack: (staged: Staged[], destination: string) => Promise<{ tarball: string }[]>;
};
const { publish } = require('../../scripts/publish.js') as {
  publish: (
    context: Context & { parameters: string[]; say: (sentence: string) => void },
  ) => Promise<void>;
};
const { checkTarballs, checkWithAttw, findingsOf } = require('../../scripts/release-check.js') as {
  checkTarballs: unknown;
  checkWithAttw: (
    context: { ask: Ask },
    packed: { name: string; tarball: string },
    folder: string,
  ) => Promise<Finding>;
  findingsOf: (context: Context & { checks: unknown[] }) => Promise<Finding[]>;
};

describe('publishing', function () {
  this.timeout(60_000);
  let repository: Repository;
  let folder: string;
  beforeEach(async () => {
    repository = new Repository();
    folder = await temporaryFolder();
  });
  afterEach(async () => {
    repository.remove();
    await remove(folder);
  });

  it('stage — each link of a README leads to a file of the package, or to the repository', async () => {
    const { web } = addressesOf(ROOT);
    const staged = await stage(ROOT, PACKAGES, folder);
    expect(staged).to.have.lengthOf(PACKAGES.length);
    for (const { staged: at } of staged) {
      const page = readFileSync(join(at, 'README.md'), 'utf8').replace(/```[^]*?```/g, '');
      for (const [, target = ''] of page.matchAll(/\]\(([^)\s]+)\)/g)) {
        if (target.startsWith(web)) {
          const path = target.slice(web.length).replace(/^\/\w+\/v[\d.]+\/|#.*$/g, '');
          expect(existsSync(join(ROOT, path)), target).to.equal(true);
        } else if (!/^(?:https?:|#)/.test(target)) {
          expect(existsSync(join(at, target)), target).to.equal(true);
        }
      }
    }
  });

  it('pack — makes a tarball of the files that npm would pack', async () => {
    const staged = await stage(repository.root, repository.packages, folder);
    expect(staged[0]?.files).to.have.members([
      'LICENSE',
      'README.md',
      'lib/index.js',
      'package.json',
    ]);
    const [packed] = await pack(staged, folder);
    expect(packed?.tarball).to.equal(join(folder, 'crm-thing-0.1.0.tgz'));
    expect(readdirSync(folder)).to.include('crm-thing-0.1.0.tgz');
  });

  it('release check — says what publint and attw find', async () => {
    const { root, packages } = repository;
    const says = (json: string, status: number) => async () =>
      await Promise.resolve(answer(json, status));
    const ask = says('{"problems":{"FalseCJS":[{}]}}', 1);
    // The repository has no publint, so that its judgement is a failure.
    const [publint, attw] = await findingsOf({ root, packages, ask, checks: [checkTarballs] });
    expect(publint).to.include({
      kind: 'missing',
      sentence: 'publint finds problems in crm-thing.',
    });
    expect(attw?.sentence).to.equal('attw finds problems in the types of crm-thing: FalseCJS.');
    expect(attw?.remedy).to.contain('npm run tarballs');

    const packed = { name: 'crm-thing', tarball: 'crm-thing-0.1.0.tgz' };
    const judge = async (json: string, status: number) =>
      await checkWithAttw({ ask: says(json, status) }, packed, folder);
    expect(await judge('{}', 0)).to.include({ kind: 'known' });
    const offline = await judge('', 1);
    expect(offline.kind).to.equal('unknown');
    expect(offline.remedy).to.contain('with a network');
  });

  describe('publish', () => {
    /** Publishes crm-thing and passport-thing, which needs it. */
    const published = async (have: string[], status = 0, parameters = ['--tag', 'next']) => {
      repository.packages.length = 0;
      repository.add('passport-thing', { dependencies: { 'crm-thing': '^0.1.0' } });
      repository.packages.push({ name: 'crm-thing', folder: 'packages/crm-thing' });
      const asked: string[] = [];
      const said: string[] = [];
      await publish({
        root: repository.root,
        packages: repository.packages,
        parameters,
        ask: async ([verb = '', spec = '', ...rest]) => {
          asked.push([verb, spec, ...rest].join(' '));
          const isPublished = have.includes(spec);
          return await Promise.resolve(
            verb === 'view' ? answer(isPublished ? '0.1.0' : '') : answer('', status),
          );
        },
        say: (sentence) => said.push(sentence),
      });
      return { asked, said };
    };

    it('takes the packages in the order in which they need each other', async () => {
      const { asked, said } = await published([]);
      expect(asked).to.deep.equal([
        'view crm-thing@0.1.0 version',
        'publish --tag next',
        'view passport-thing@0.1.0 version',
        'publish --tag next',
      ]);
      expect(said).to.deep.equal([
        'crm-thing 0.1.0 is published.',
        'passport-thing 0.1.0 is published.',
      ]);
    });

    it('goes on where an earlier run broke off', async () => {
      const { asked, said } = await published(['crm-thing@0.1.0']);
      expect(asked.filter((one) => one.startsWith('publish'))).to.have.lengthOf(1);
      expect(said[0]).to.equal('crm-thing 0.1.0 is published already.');
    });

    it('says what a dry run would do', async () => {
      const { asked, said } = await published([], 0, ['--dry-run']);
      expect(asked).to.include('publish --dry-run');
      expect(said[0]).to.equal('crm-thing 0.1.0 would be published.');
    });

    it('stops at a package that npm refuses', async () => {
      let failure: unknown;
      await published([], 1).catch((error: unknown) => (failure = error));
      expect(String(failure)).to.contain('npm did not publish crm-thing.');
    });
  });
});
