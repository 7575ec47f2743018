/**
 * Compares the options in the types with the tables of the pages: each option stands in both, with the same
 * default. The text that an editor shows says the default, and the unit of a number.
 */
'use strict';
const { existsSync, readFileSync, readdirSync } = require('node:fs');
const { join } = require('node:path');

const CORE = 'packages/crm-oauth2/src';
const GUIDE = 'docs/using-a-strategy.md';

/** Each table of a page, by its heading and its first cell, and the interfaces that it shows. */
const TABLES = [
  {
    page: GUIDE,
    heading: 'Set options',
    head: 'Option',
    types: [
      [`${CORE}/protocol/client-authentication.ts`, 'ClientCredentials'],
      [`${CORE}/client-options.ts`, 'ClientOptions'],
      [`${CORE}/passport/strategy-options.ts`, 'StrategyOptions'],
      // Options of StrategyOptions again, for the form of verify.
      ...['WithoutRequest', 'WithRequest', 'WithProfile', 'WithoutProfile', 'WithVerify'].map(
        (name) => [`${CORE}/passport/strategy-class.ts`, name],
      ),
    ],
  },
  {
    page: GUIDE,
    heading: 'Start a login',
    head: 'Option',
    types: [[`${CORE}/passport/passport-types.ts`, 'LoginOptions']],
  },
  {
    page: GUIDE,
    heading: 'Start a login',
    head: 'Option of Passport',
    types: [[`${CORE}/passport/passport-types.ts`, 'PassportOptions']],
  },
];

/** Parts of the options of `authenticate` that a strategy may have beside its own. */
const SHARED_PARTS = ['PromptOptions', 'MaxAgeOptions'];

/** The two tables in the README of a strategy. */
function tablesOf(folder, read) {
  const index = `${folder}/src/index.ts`;
  const provider = `${folder}/src/provider.ts`;
  const [, own] = /export interface (\w+Options)\b/.exec(read(provider)) ?? [];
  const [, parents = ''] = /interface LoginOptions\s+extends([^{]*)\{/.exec(read(index)) ?? [];
  const shared = SHARED_PARTS.filter((name) => parents.includes(`family.${name}`));
  const page = `${folder}/README.md`;
  return [
    { page, heading: 'Options', head: 'Option', types: [[provider, own]] },
    {
      page,
      heading: 'Options',
      head: 'Option of authenticate',
      types: [
        [index, 'LoginOptions'],
        ...shared.map((name) => [`${CORE}/passport/passport-types.ts`, name]),
      ],
    },
  ];
}

/** Texts are compared without their marks: `60` is 60, and a link is its text. */
const plain = (text) =>
  text
    .replace(/\[([^\]]*)\]\([^)]*\)/g, '$1')
    .replace(/[`*_']/g, '')
    .replace(/\s+/g, ' ')
    .trim()
    .toLowerCase();

/** The members of an interface: `{ name, text, type, isRequired }`. */
function optionsOf(source, name) {
  const start = new RegExp(`\\binterface ${name}\\b[^{]*\\{`).exec(source);
  if (!start) return undefined;
  const rest = source.slice(start.index + start[0].length);
  const body = rest.slice(0, rest.search(/^\}|^ *\}$/m));
  const member = /(?:\/\*\*((?:(?!\*\/)[^])*)\*\/\s*)?^ +(\w+)(\??): ([^]*?);$/gm;
  return [...body.matchAll(member)].map(([, comment = '', option, mark, type]) => ({
    name: option,
    text: comment
      .replace(/^\s*\* ?/gm, '')
      .replace(/\s+/g, ' ')
      .trim(),
    type,
    isRequired: mark === '',
  }));
}

const defaultOf = ({ text }) => /\bDefault: (.*?)\.?$/.exec(text)?.[1];

/** The rows of the table: the names in the first cell, and the default in the second. */
function rowsOf(page, heading, head) {
  const [, section] = new RegExp(`^## ${heading}$([^]*?)(?=^## |(?![^]))`, 'm').exec(page) ?? [];
  const tables = (section ?? '').matchAll(/^\|(.*)\|\n\|[ |:-]+\|\n((?:\|.*\|\n?)*)/gm);
  for (const [, headRow, rows] of tables) {
    const [first, second] = cellsOf(headRow);
    if (plain(first) !== plain(head) || plain(second ?? '') !== 'default') continue;
    return rows
      .trim()
      .split('\n')
      .flatMap((row) => {
        const [names, value] = cellsOf(row.slice(1, -1));
        return [...names.matchAll(/`(\w+)`/g)].map(([, name]) => ({ name, value }));
      });
  }
  return undefined;
}

const cellsOf = (row) => row.split(/(?<!\\)\|/).map((cell) => cell.trim());

/** Sentences about one option of a type. */
function faultsOfType(file, { name, text, type, isRequired, ...option }, isRepeated) {
  const at = `${file}: "${name}"`;
  if (text === '') return [`${at} has no text. Write what it does, and "Default: …."`];
  const said = defaultOf({ text, ...option });
  const faults = [];
  if (said === undefined && !isRequired && !isRepeated) {
    faults.push(`${at} has a text without its default. End it with "Default: …."`);
  }
  if (/\bnumber\b/.test(type) && !/\b(?:milli)?seconds\b|\bbytes\b/i.test(text)) {
    faults.push(`${at} is a number, and its text names no unit. Write seconds, or milliseconds`);
  }
  return faults;
}

/** Sentences about a table and its types. */
function faultsOf({ page, heading, head, types }, read) {
  const rows = rowsOf(read(page), heading, head);
  const where = `${page}, "${heading}"`;
  if (!rows) return [`${where}: there is no table that begins with "${head}" and "Default"`];
  const faults = [];
  const known = new Map();
  for (const [file, name] of types) {
    const options = optionsOf(read(file), name);
    if (!options) faults.push(`${file}: there is no interface "${name}"`);
    for (const option of options ?? []) {
      const first = known.get(option.name);
      faults.push(...faultsOfType(file, option, first !== undefined));
      const said = defaultOf(option) ?? (option.isRequired && !first ? 'required' : undefined);
      if (first === undefined) known.set(option.name, said);
      else if (said !== undefined && plain(said) !== plain(first)) {
        faults.push(
          `${file}: "${option.name}" has the default "${said}", and elsewhere "${first}"`,
        );
      }
    }
  }
  for (const [name, said] of known) {
    const row = rows.find((one) => one.name === name);
    if (!row) faults.push(`${where}: "${name}" of the types is missing`);
    else if (said !== undefined && plain(row.value) !== plain(said)) {
      faults.push(`${where}: "${name}" has the default "${row.value}", and "${said}" in the types`);
    }
  }
  for (const [at, { name }] of rows.entries()) {
    if (!known.has(name)) faults.push(`${where}: "${name}" is not an option of the types`);
    if (rows.findIndex((row) => row.name === name) < at) {
      faults.push(`${where}: "${name}" stands there twice`);
    }
  }
  return faults;
}

/** @param root the folder of the repository, or of a copy */
function check(root) {
  const read = (path) => readFileSync(join(root, path), 'utf8');
  const strategies = readdirSync(join(root, 'packages'))
    .filter((name) => name.startsWith('passport-'))
    .map((name) => `packages/${name}`)
    .filter((folder) => existsSync(join(root, folder, 'src', 'provider.ts')));
  const tables = [...TABLES, ...strategies.flatMap((folder) => tablesOf(folder, read))];
  return tables.flatMap((table) => faultsOf(table, read));
}

if (require.main === module) {
  const faults = check(process.argv[2] ?? join(__dirname, '..'));
  for (const fault of faults) console.error(fault);
  process.exitCode = faults.length > 0 ? 1 : 0;
}

module.exports = { check };
