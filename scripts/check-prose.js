/** Checks the voice of comments, strings, test titles and Markdown, and that each source says what it is for. */
'use strict';
const { readFileSync, readdirSync, statSync } = require('node:fs');
const { join, relative, resolve, sep } = require('node:path');
const { passagesOfCode, passagesOfMarkdown } = require('./read-prose');

const words = (list) => new RegExp(`\\b(?:${list})\\b`, 'gi');

const BEGINS_CLAUSE =
  'when|if|because|where|and|or|but|that|which|while|so|since|as|than|unless|until|whether';
/** Two words of the same clause, with at most five words between them. */
const within = (first, second) =>
  new RegExp(
    `\\b(?:${first})(?:\\s+(?!(?:${BEGINS_CLAUSE})\\b)[\\w'-]+){0,5}\\s+(?:${second})\\b`,
    'gi',
  );

/** Each pattern, why a reader stumbles over it, and the plain way to say it. */
const PATTERNS = [
  {
    pattern: words('whither|whence|thereof|lest'),
    reason: 'is an old word that readers have to look up',
    instead: 'where, from where, of it, so that … not',
  },
  {
    pattern: words('whoever|whomever|whom'),
    reason: 'hides who acts',
    instead: 'name the actor: the caller, the browser, the provider, the application',
  },
  {
    pattern: words('nobody|somebody|anybody'),
    reason: 'hides who acts',
    instead: 'name the actor, or say what does not happen',
  },
  {
    pattern:
      /(?<!\bthere\s+(?:\w+\s+){0,2})\b(?:is|was|are|were|be)\s+no\s+(?!longer\b|more\b|less\b|fewer\b|later\b|earlier\b|older\b|newer\b|bigger\b|larger\b|smaller\b|shorter\b|worse\b|better\b)\w+/gi,
    reason: 'negates a noun where English negates the verb',
    instead: '"is not a …" or "there is no …"',
  },
  {
    pattern: /\b(?:What|Whatever|Who|Whichever|Whether)\b/g,
    atStart: true,
    reason: 'begins the sentence with a clause for a subject',
    instead: 'begin with the actor or the thing itself ("The parameters that …", "True when …")',
  },
  {
    pattern:
      /\bThat\s+(?:a|an|the|there|this|these|it|he|she|they|we|you|no|each|every|one|some|any|all|its|their)\b/g,
    atStart: true,
    reason: 'begins the sentence with a clause for a subject',
    instead: 'begin with the actor: "The store fails when …"',
  },
  {
    pattern: within("not|never|cannot|\\w+n['’]t", 'no|nothing|none|nowhere|never|neither'),
    reason: 'negates twice',
    instead: 'one negation, or the positive statement',
  },
  {
    pattern: within('no|nothing|neither', 'not|cannot|never|nothing'),
    reason: 'negates twice',
    instead: 'one negation, or the positive statement ("every … is …")',
  },
  {
    pattern:
      /\b(?:not\s+un(?!i|der|do|defined\b)\w+(?:ed|able|al|ly|mon|wn|en|fe|ke)|not\s+(?:impossible|infrequent|invisible|irrelevant|incorrect|invalid)|(?:not|cannot)\s+(?:not|without)|(?:never|not|cannot)\s+fails?\s+to)\b/gi,
    reason: 'negates twice',
    instead: 'the positive statement ("is known", "always …")',
  },
];

/** Right English that a pattern takes for wrong. Each needs its reason; one that excuses nothing fails the check. */
const EXCEPTIONS = [];

/** Files that quote what the patterns forbid. */
const QUOTING = ['scripts/check-prose.js', 'test/lint.test.ts'];

const CODE = /\.[cm]?[jt]s$/;
const SOURCE = /(?:^|\/)(?:packages\/[^/]+|examples\/.+)\/src\/.+\.[cm]?ts$/;
const DEFAULT_FOLDERS = /^(?:packages\/[^/]+\/(?:src|test)|examples\/.+\/src|scripts|test|bench)\//;
const LEFT_OUT = new Set(['node_modules', 'dist', 'lib', 'build', 'coverage', 'reports', '.git']);

/** True where a sentence begins: at the start of the passage and after a full stop; in a title after its dash. */
function beginsSentence({ kind, text }, index) {
  const before = text.slice(0, index);
  return /^\s*$|[.!?]["')\]]*\s+$/.test(before) || (kind === 'title' && /[—:]\s*$/.test(before));
}

/** A question may begin with "What". So may a label: a string without a full stop, such as `What failed`. */
function isStatement({ kind, text }, index) {
  const [, end = ''] = /^[^.!?]*(?:[.!?](?!\s|$|["')])[^.!?]*)*([.!?])?/.exec(text.slice(index));
  return end !== '?' && (end !== '' || kind !== 'string');
}

const isProse = ({ kind, text }) => kind !== 'string' || /\S\s+\S/.test(text);

function excuses({ file, phrase }, path, { text }, index) {
  if (file !== path) return false;
  const pattern = phrase.replace(/[.*+?^${}()|[\]\\]/g, '\\$&').replace(/\s+/g, '\\s+');
  return [...text.matchAll(new RegExp(pattern, 'g'))].some(
    (match) => match.index <= index && index < match.index + match[0].length,
  );
}

/** Where a passage breaks a rule: the matches of its pattern. Titles begin with a small letter. */
function matchesOf(passage, { pattern, atStart }) {
  const flags = atStart && passage.kind === 'title' ? 'gi' : pattern.flags;
  const matches = [...passage.text.matchAll(new RegExp(pattern.source, flags))];
  if (!atStart) return matches;
  return matches.filter(
    ({ index }) =>
      passage.judgesStart && beginsSentence(passage, index) && isStatement(passage, index),
  );
}

/** The findings of one file: `{ path, line, found, reason, instead }`. */
function checkText(path, text, exceptions = EXCEPTIONS, used = new Set()) {
  const passages = path.endsWith('.md') ? passagesOfMarkdown(text) : passagesOfCode(text);
  const findings = checkOpening(path, text);
  for (const passage of passages.filter(isProse)) {
    for (const rule of PATTERNS) {
      for (const { 0: found, index } of matchesOf(passage, rule)) {
        const exception = exceptions.find((one) => excuses(one, path, passage, index));
        if (exception) used.add(exception);
        else {
          const offset = passage.offset + index;
          const line = text.slice(0, offset).split('\n').length;
          findings.push({ ...rule, path, line, offset, found: found.replace(/\s+/g, ' ') });
        }
      }
    }
  }
  return findings.toSorted((a, b) => a.offset - b.offset);
}

/** A source of a package or an example begins with a comment of one line. */
function checkOpening(path, text) {
  if (!SOURCE.test(path)) return [];
  const first = text.split('\n').find((line) => line.trim() !== '' && !line.startsWith('#!')) ?? '';
  if (/^\/\*\*? .+ \*\/\s*$|^\/\/ .+/.test(first)) return [];
  const reason = 'does not open the file with one line that says what the file is for';
  return [
    {
      path,
      line: 1,
      offset: 0,
      found: first.trim(),
      reason,
      instead: '/** … */ on the first line',
    },
  ];
}

function filesUnder(path) {
  if (!statSync(path).isDirectory()) return [path];
  return readdirSync(path, { withFileTypes: true })
    .filter((entry) => !LEFT_OUT.has(entry.name))
    .flatMap((entry) => filesUnder(join(path, entry.name)));
}

const isChecked = (path) =>
  (CODE.test(path) || path.endsWith('.md')) &&
  !path.endsWith('CHANGELOG.md') &&
  !QUOTING.includes(path);

function main(paths) {
  const root = join(__dirname, '..');
  const fromRoot = (file) => relative(root, resolve(file)).split(sep).join('/');
  const used = new Set();
  const files = (paths.length > 0 ? paths : [root])
    .flatMap(filesUnder)
    .map(fromRoot)
    .filter(isChecked)
    .filter((path) => paths.length > 0 || path.endsWith('.md') || DEFAULT_FOLDERS.test(path));
  const findings = files.flatMap((path) =>
    checkText(path, readFileSync(join(root, path), 'utf8'), EXCEPTIONS, used),
  );
  for (const { path, line, found, reason, instead } of findings) {
    console.error(`${path}:${line}: "${found}" ${reason}. Write instead: ${instead}.`);
  }
  const idle = paths.length > 0 ? [] : EXCEPTIONS.filter((exception) => !used.has(exception));
  for (const { file, phrase } of idle) {
    console.error(
      `scripts/check-prose.js: the exception "${phrase}" of ${file} excuses nothing: delete it.`,
    );
  }
  const count = findings.length + idle.length;
  if (count > 0) console.error(`\n${count} places to rewrite.`);
  process.exitCode = count > 0 ? 1 : 0;
}

module.exports = { PATTERNS, checkText };

if (require.main === module) main(process.argv.slice(2));
