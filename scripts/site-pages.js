/** Makes the pages of the site of the Markdown of the repository: their places, and links that work there. */
'use strict';
const {
  copyFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  statSync,
  writeFileSync,
} = require('node:fs');
const { dirname, join, posix } = require('node:path');
const { addressesOf } = require('./manifests');
const { HOME, allPages, llmsText } = require('./navigation');

/** A link has no effect in them. */
const CODE = /(^ *```[^]*?^ *```$|`[^`\n]+`)/m;

/** The targets of links, images, references and HTML. */
const TARGET = /(\]\(|^\[[^\]]+\]:\s+|\b(?:href|src)=")([^)\s">]+)/gm;

const IMAGE = /\.(?:gif|jpe?g|png|svg|webp)$/;

/** The anchor that the hosting service gives a heading; the site does the same, so that links work in both. */
const slugify = (heading) =>
  heading
    .trim()
    .toLowerCase()
    .replace(/[^\p{L}\p{N} _-]/gu, '')
    .replaceAll(' ', '-');

/** The place of a page in the site: `docs/a.md` is `a.md`, and the README of a folder is named after it. */
function placeOf(path) {
  if (path === HOME) return 'index.md';
  const place = path.replace(/^docs\//, '');
  if (place.endsWith('/README.md')) {
    return place.startsWith('internals/')
      ? place.replace(/README\.md$/, 'index.md')
      : place.replace(/\/README\.md$/, '.md');
  }
  return /^[A-Z]+\.md$/.test(place) ? place.toLowerCase() : place;
}

/** A path of the repository, from a link in one of its pages. */
function pathOf(root, page, link) {
  const path = posix.join(posix.dirname(page), link).replace(/\/$/, '');
  if (path.startsWith('..') || !existsSync(join(root, path))) {
    throw new Error(`${page} leads to ${link}, which does not exist.`);
  }
  const readme = posix.join(path, 'README.md');
  return statSync(join(root, path)).isDirectory() && existsSync(join(root, readme)) ? readme : path;
}

/**
 * A page with the links of the site: to its pages, its images, and the repository for all the rest.
 *
 * @returns the text, and the images that it shows
 */
function sitePage(root, page, pages) {
  const here = placeOf(page);
  const addresses = addressesOf(root);
  const images = [];
  const from = (place) => {
    const link = posix.relative(posix.dirname(here), place);
    return link.startsWith('.') ? link : `./${link}`;
  };
  const whole = (target) => {
    if (/^(?:[a-z][a-z\d+.-]*:|\/\/|#)/i.test(target)) return target;
    const [link, fragment] = target.split('#');
    const path = pathOf(root, page, link);
    const end = fragment === undefined ? '' : `#${fragment}`;
    if (pages.includes(path)) return from(placeOf(path)) + end;
    if (IMAGE.test(path)) {
      images.push(path);
      return from(placeOf(path));
    }
    const isFolder = statSync(join(root, path)).isDirectory();
    return (isFolder ? addresses.folder(path, 'main') : addresses.file(path, 'main')) + end;
  };
  const text = readFileSync(join(root, page), 'utf8')
    .split(CODE)
    .map((part, index) =>
      index % 2 === 1 ? part : part.replace(TARGET, (_, before, target) => before + whole(target)),
    )
    .join('');
  return { text, images };
}

const write = (file, text) => {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
};

/** Writes all pages into a folder, and beside the site the same pages for programs that read. */
function writePages(root, folder) {
  const pages = allPages(root);
  for (const page of pages) {
    const { text, images } = sitePage(root, page, pages);
    write(join(folder, placeOf(page)), text);
    write(join(folder, 'public', placeOf(page)), text);
    for (const image of images) {
      const file = join(folder, placeOf(image));
      mkdirSync(dirname(file), { recursive: true });
      copyFileSync(join(root, image), file);
    }
  }
  write(join(folder, 'public', 'llms.txt'), llmsText(root, placeOf));
}

module.exports = { placeOf, sitePage, slugify, writePages };
