/** The pages of the documentation, in the order in which a reader meets them: for the site and for llms.txt. */
'use strict';
const { existsSync, readFileSync, readdirSync, writeFileSync } = require('node:fs');
const { join } = require('node:path');
const { PACKAGES } = require('./packages');

const SUMMARY =
  'Passport strategies for Salesloft, SalesOS and Salesforce, the OAuth 2.0 client that they share, and a local emulator of the three providers.';

/** The first page of the site. */
const HOME = 'README.md';

/** Paths from the root. A star stands for each page of a folder. A page that does not exist yet is left out. */
const GROUPS = [
  {
    title: 'Begin',
    pages: [
      'docs/getting-started.md',
      'docs/create-the-application/*.md',
      'docs/check.md',
      'docs/accounts-and-linking.md',
      'docs/scopes.md',
      'docs/test-your-login.md',
      'docs/going-to-production.md',
    ],
  },
  {
    title: 'Use',
    pages: [
      'docs/using-a-strategy.md',
      'docs/frameworks.md',
      'docs/organizations.md',
      'docs/token-stores.md',
      'docs/migrating.md',
      'docs/migrating/*.md',
    ],
  },
  {
    title: 'Look up',
    pages: [
      'docs/troubleshooting.md',
      'docs/errors.md',
      'docs/providers.md',
      'docs/compatibility.md',
      'docs/performance.md',
      'docs/verified-against.md',
    ],
  },
  { title: 'Packages', pages: PACKAGES.map(({ folder }) => `${folder}/README.md`) },
  {
    title: 'Examples',
    pages: [
      'express-login',
      'cadence-transfer',
      'background-sync',
      'frameworks',
      'another-provider',
    ].map((name) => `examples/${name}/README.md`),
  },
  { title: 'Extend', pages: ['docs/add-a-provider.md', 'CONTRIBUTING.md', 'docs/releasing.md'] },
  {
    title: 'Internals',
    pages: [
      'SECURITY.md',
      'docs/internals/a-login-step-by-step.md',
      'docs/internals/threat-model.md',
      'docs/internals/rotation.md',
      'docs/internals/decisions/README.md',
      'CHANGELOG.md',
    ],
  },
];

/** Pages that another page of the menu lists, so that the menu does not. */
const UNLISTED = ['docs/internals/decisions/*.md'];

function expand(root, pattern) {
  if (!pattern.endsWith('/*.md')) return existsSync(join(root, pattern)) ? [pattern] : [];
  const folder = pattern.slice(0, -'/*.md'.length);
  if (!existsSync(join(root, folder))) return [];
  return readdirSync(join(root, folder))
    .filter((name) => name.endsWith('.md') && name !== 'README.md')
    .toSorted()
    .map((name) => `${folder}/${name}`);
}

/** Text without the marks of Markdown. */
const plain = (text) =>
  text
    .replace(/!\[[^\]]*\]\([^)]*\)/g, '')
    .replace(/\[([^\]]*)\]\([^)]*\)/g, '$1')
    .replace(/(\*\*|`|(?<!\w)_|_(?!\w))/g, '')
    .replace(/\s+/g, ' ')
    .trim();

/** A page: its heading, and the first sentence below it. */
function describe(root, path) {
  const text = readFileSync(join(root, path), 'utf8').replace(/<!--[^]*?-->|^```[^]*?^```$/gm, '');
  const [, title = path] = /^# (.+)$/m.exec(text) ?? [];
  const paragraph = text
    .split(/\n\s*\n/)
    .map((part) => part.trim())
    .find((part) => part !== '' && !/^[#|`>-]/.test(part));
  const [about] = /^.*?[.!?](?=\s|$)/.exec(plain(paragraph ?? '')) ?? [''];
  return { path, title: plain(title), about };
}

/** The groups of the menu: `{ title, pages: { path, title, about }[] }`. */
const navigation = (root) =>
  GROUPS.map(({ title, pages }) => ({
    title,
    pages: pages.flatMap((page) => expand(root, page)).map((path) => describe(root, path)),
  }));

/** The paths of all pages of the site. */
const allPages = (root) => [
  HOME,
  ...GROUPS.flatMap(({ pages }) => pages)
    .concat(UNLISTED)
    .flatMap((page) => expand(root, page)),
];

/** https://llmstxt.org: a list of the pages for programs that read. @param linkOf the link to a path */
function llmsText(root, linkOf = (path) => path) {
  const { title } = describe(root, HOME);
  const lists = navigation(root).map(
    (group) =>
      `## ${group.title}\n\n${group.pages
        .map((page) => `- [${page.title}](${linkOf(page.path)})${page.about && `: ${page.about}`}`)
        .join('\n')}\n`,
  );
  return `# ${title}\n\n> ${SUMMARY}\n\n${lists.join('\n')}`;
}

/** `node scripts/navigation.js` writes llms.txt. */
function main() {
  const { ROOT } = require('./packages');
  writeFileSync(join(ROOT, 'llms.txt'), llmsText(ROOT));
}

module.exports = { HOME, SUMMARY, allPages, llmsText, navigation };

if (require.main === module) main();
