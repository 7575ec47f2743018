/** Follows each link inside the built site, to a file and to a heading. */
'use strict';
const { existsSync, readFileSync, readdirSync } = require('node:fs');
const { dirname, join, relative } = require('node:path');

const filesUnder = (folder) =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.html'))
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name));

const decode = (text) => decodeURIComponent(text.replaceAll('&amp;', '&'));

/** The links that lead nowhere: `PAGE → LINK`. @param base the path at which the site is served */
function brokenLinks(folder, base) {
  const pages = new Map(filesUnder(folder).map((file) => [file, readFileSync(file, 'utf8')]));
  const ids = new Map();
  const idsOf = (file) => {
    if (!ids.has(file)) {
      const found = [...(pages.get(file) ?? '').matchAll(/\bid="([^"]+)"/g)];
      ids.set(file, new Set(found.map(([, id]) => decode(id))));
    }
    return ids.get(file);
  };
  const broken = new Set();
  for (const [file, html] of pages) {
    for (const [, link] of html.matchAll(/<a\b[^>]*\bhref="([^"]+)"/g)) {
      if (/^(?:[a-z][a-z\d+.-]*:|\/\/)/i.test(link)) continue;
      const [path, fragment] = decode(link).split('#');
      const start = path.startsWith(base) ? join(folder, path.slice(base.length)) : undefined;
      const target = path === '' ? file : (start ?? join(dirname(file), path));
      const page = path.endsWith('/') || target === folder ? join(target, 'index.html') : target;
      const isFound = pages.has(page)
        ? !fragment || idsOf(page).has(fragment)
        : existsSync(page) && !fragment;
      if (!isFound) broken.add(`${relative(folder, file)} → ${decode(link)}`);
    }
  }
  return [...broken];
}

module.exports = { brokenLinks };
