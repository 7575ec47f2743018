/** The documentation as a site: the places of its pages, their links, its menu, and the check of the built links. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { expect } from 'chai';
import { PACKAGES, ROOT } from './support/packages';

interface Page {
  path: string;
  title: string;
  about: string;
}

const { allPages, llmsText, navigation } = require('../scripts/navigation.js') as {
  allPages: (root: string) => string[];
  llmsText: (root: string) => string;
  navigation: (root: string) => { title: string; pages: Page[] }[];
};
const { placeOf, sitePage, slugify, writePages } = require('../scripts/site-pages.js') as {
  placeOf: (path: string) => string;
  sitePage: (root: string, page: string, pages: string[]) => { text: string; images: string[] };
  slugify: (heading: string) => string;
  writePages: (root: string, folder: string) => void;
};
const { brokenLinks } = require('../scripts/site-links.js') as {
  brokenLinks: (folder: string, base: string) => string[];
};

const tracked = (...patterns: string[]) =>
  execFileSync('git', ['ls-files', ...patterns], { cwd: ROOT, encoding: 'utf8' })
    .split('\n')
    .filter((path) => path !== '' && existsSync(join(ROOT, path)));

describe('the site', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'crm-login-site-'));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  function write(path: string, text: string): void {
    const file = join(folder, path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
  }

  describe('navigation', () => {
    it('has each page of docs and each package', () => {
      const pages = allPages(ROOT);
      const missing = tracked('docs/*.md').filter((path) => !pages.includes(path));
      expect(missing, 'add them to scripts/navigation.js').to.deep.equal([]);
      expect(pages).to.include.members(PACKAGES.map(({ folder: home }) => `${home}/README.md`));
      expect(new Set(pages).size).to.equal(pages.length);
    });

    it('says of each page what it is about, in one sentence', () => {
      for (const { pages } of navigation(ROOT)) {
        for (const { path, title, about } of pages) {
          expect(title, path).to.match(/^\S.*\S$/);
          expect(about, path).to.match(/^[^[\]`*|]+[.!?]$/);
        }
      }
    });

    it('llms.txt — is what npm run docs writes', () => {
      expect(readFileSync(join(ROOT, 'llms.txt'), 'utf8')).to.equal(llmsText(ROOT));
    });
  });

  describe('pages', () => {
    it('have places without "docs" and "README"', () => {
      expect(placeOf('README.md')).to.equal('index.md');
      expect(placeOf('docs/scopes.md')).to.equal('scopes.md');
      expect(placeOf('docs/migrating/axios.md')).to.equal('migrating/axios.md');
      expect(placeOf('packages/crm-oauth2/README.md')).to.equal('packages/crm-oauth2.md');
      expect(placeOf('docs/internals/decisions/README.md')).to.equal(
        'internals/decisions/index.md',
      );
      expect(placeOf('SECURITY.md')).to.equal('security.md');
    });

    it('lead to pages of the site, to their images, and to the repository', () => {
      write('package.json', '{ "repository": { "url": "git+https://code.example/us/it.git" } }');
      write('docs/b.md', '# B\n');
      write('docs/images/a.png', '');
      write('packages/it/README.md', '# It\n');
      write('packages/it/src/index.ts', '');
      write(
        'docs/a.md',
        '[b](b.md#part) [it](../packages/it) [code](../packages/it/src/index.ts) ![a](images/a.png) [here](#a) `[b](none.md)`',
      );
      const { text, images } = sitePage(folder, 'docs/a.md', [
        'docs/a.md',
        'docs/b.md',
        'packages/it/README.md',
      ]);
      const code = 'https://code.example/us/it/blob/main/packages/it/src/index.ts';
      expect(text).to.equal(
        `[b](./b.md#part) [it](./packages/it.md) [code](${code}) ![a](./images/a.png) [here](#a) \`[b](none.md)\``,
      );
      expect(images).to.deep.equal(['docs/images/a.png']);
    });

    it('refuse a link to nothing', () => {
      write('package.json', '{ "repository": { "url": "git+https://code.example/us/it.git" } }');
      write('docs/a.md', '[none](none.md)');
      expect(() => sitePage(folder, 'docs/a.md', ['docs/a.md'])).to.throw(
        'docs/a.md leads to none.md, which does not exist',
      );
    });

    it('are all written, with a list for programs that read', () => {
      writePages(ROOT, folder);
      const list = readFileSync(join(folder, 'public', 'llms.txt'), 'utf8');
      expect(list).to.contain('](create-the-application/salesforce.md): Salesforce calls it');
      for (const path of allPages(ROOT)) {
        expect(existsSync(join(folder, placeOf(path))), path).to.equal(true);
        expect(existsSync(join(folder, 'public', placeOf(path))), path).to.equal(true);
      }
    });

    it('have the anchors of the hosting service', () => {
      expect(slugify('mocha, and `node:test`')).to.equal('mocha-and-nodetest');
      expect(slugify('Next, Hono, SvelteKit: from a Request')).to.equal(
        'next-hono-sveltekit-from-a-request',
      );
    });
  });

  describe('links of the built site', () => {
    it('names each that leads to no page, and to no heading', () => {
      write('index.html', '<a href="/base/a.html#one">a</a> <a class="x" href="/base/none.html">');
      write(
        'a.html',
        '<h1 id="one"></h1><a href="#two"><a href="https://b.example/none"><a href="/base/">',
      );
      expect(brokenLinks(folder, '/base/')).to.have.members([
        'index.html → /base/none.html',
        'a.html → #two',
      ]);
    });

    it('finds none in a site whose links all work', () => {
      write('index.html', '<a href="/a.html#%C3%A9">a</a>');
      write('a.html', '<h1 id="é"></h1><a href="./">home</a>');
      expect(brokenLinks(folder, '/')).to.deep.equal([]);
    });
  });

  it('npm start and npm test — install none of its packages', () => {
    const { workspaces } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
      workspaces: string[];
    };
    expect(workspaces.some((pattern) => pattern.startsWith('site'))).to.equal(false);
    expect(readFileSync(join(ROOT, 'package-lock.json'), 'utf8')).to.not.match(
      /node_modules\/(?:vitepress|typedoc)"/,
    );
    const { dependencies } = JSON.parse(readFileSync(join(ROOT, 'site/package.json'), 'utf8')) as {
      dependencies: Record<string, string>;
    };
    for (const version of Object.values(dependencies)) expect(version).to.match(/^\d+\.\d+\.\d+$/);
    expect(readFileSync(join(ROOT, 'site/package-lock.json'), 'utf8')).to.not.match(
      /"resolved": "https?:/,
    );
  });
});
