/** The configuration of VitePress: menu, search, and anchors as those of the hosting service. */
'use strict';
const { readFileSync } = require('node:fs');
const { join } = require('node:path');
const { slugify } = require('./site-pages');

/** Written by scripts/site.js. */
const { base, summary, repository, groups } = JSON.parse(
  readFileSync(join(__dirname, '..', 'site', 'build', 'site.json'), 'utf8'),
);

/** Above the size of the search index, which is one file. */
const LARGEST_FILE_KB = 10_000;

const linkOf = (place) => `/${place.replace(/(^|\/)index\.md$/, '$1').replace(/\.md$/, '')}`;

module.exports = {
  base,
  title: 'CRM login',
  description: summary,
  lang: 'en',
  lastUpdated: false,
  // Copies for programs that read.
  srcExclude: ['public/**'],
  // Any other dead link fails the build.
  ignoreDeadLinks: 'localhostLinks',
  markdown: { anchor: { slugify } },
  vite: { build: { chunkSizeWarningLimit: LARGEST_FILE_KB } },
  themeConfig: {
    search: { provider: 'local' },
    outline: [2, 3],
    nav: [
      { text: 'Getting started', link: '/getting-started' },
      { text: 'Troubleshooting', link: '/troubleshooting' },
      { text: 'Reference', link: '/reference/' },
      { text: 'Repository', link: repository },
    ],
    sidebar: groups.map(({ title, pages }) => ({
      text: title,
      collapsed: ['Examples', 'Internals'].includes(title),
      items: pages
        .map((page) => ({ text: page.title, link: linkOf(page.place) }))
        .concat(
          title === 'Packages' ? [{ text: 'Reference of the types', link: '/reference/' }] : [],
        ),
    })),
  },
};
