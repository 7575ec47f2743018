/**
 * Gives the changes under "Unreleased" of CHANGELOG.md the version in lerna.json and today's date.
 * `npm run release` calls it. `--print` prints the changes of that version.
 */
'use strict';
const { readFileSync, writeFileSync } = require('node:fs');
const { join } = require('node:path');

const UNRELEASED = 'Unreleased';

/** `[before, heading and its text, after]` of a version. */
function split(text, version) {
  const name = version.replaceAll('.', '\\.');
  const section = new RegExp(`^## ${name}(?: - [\\d-]+)?\n(?:(?!## ).*\n?)*`, 'm').exec(text);
  if (section === null) return undefined;
  const end = section.index + section[0].length;
  return [text.slice(0, section.index), section[0], text.slice(end)];
}

/** The text below the heading of a version, or `undefined` where there is no such heading. */
const changesOf = (text, version) =>
  split(text, version)?.[1].split('\n').slice(1).join('\n').trim();

/** The page after the release of a version. A version that has a heading already is left alone. */
function release(text, version, date) {
  if (split(text, version)) return text;
  const parts = split(text, UNRELEASED);
  if (!parts) throw new Error(`CHANGELOG.md has no heading "## ${UNRELEASED}".`);
  const changes = changesOf(text, UNRELEASED);
  if (changes === '') throw new Error(`CHANGELOG.md lists nothing under "## ${UNRELEASED}".`);
  const [before, , after] = parts;
  const rest = after === '' ? '' : `\n${after}`;
  return `${before}## ${UNRELEASED}\n\n## ${version} - ${date}\n\n${changes}\n${rest}`;
}

function main(isPrint) {
  const root = join(__dirname, '..');
  const file = join(root, 'CHANGELOG.md');
  const text = readFileSync(file, 'utf8');
  const { version } = JSON.parse(readFileSync(join(root, 'lerna.json'), 'utf8'));
  if (isPrint) console.log(changesOf(text, version) ?? '');
  else writeFileSync(file, release(text, version, new Date().toISOString().slice(0, 10)));
}

module.exports = { UNRELEASED, changesOf, release };

if (require.main === module) main(process.argv.includes('--print'));
