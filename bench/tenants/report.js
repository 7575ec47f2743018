/** The section "Tenants" of docs/performance.md, which `npm run bench` copies from figures.md. */
'use strict';
const { existsSync, readFileSync, writeFileSync } = require('node:fs');
const os = require('node:os');
const { join } = require('node:path');
const prettier = require('prettier');

const FIGURES = join(__dirname, 'figures.md');
const PAGE = join(__dirname, '..', '..', 'docs', 'performance.md');
const NAMES = { salesloft: 'Salesloft', salesos: 'SalesOS', salesforce: 'Salesforce' };
const KINDS = { tenants: 'tenants', environments: 'login hosts' };

const table = (head, rows) =>
  [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
const grouped = (number) => number.toLocaleString('en').replaceAll(',', ' ');
const mib = (bytes) => (bytes / 2 ** 20).toFixed(2);
const range = ({ median, low, high }, digits) =>
  `${median.toFixed(digits)} (${low.toFixed(digits)}–${high.toFixed(digits)})`;

async function compose({ checked, compared, loadBefore, minutes }) {
  const [{ warmUp, step }] = checked;
  const text = `## Tenants

One strategy serves many tenants, each with a client id and a secret of its own, over one callback route; or many login
hosts of Salesforce, which each login chooses. \`npm run bench:tenants\` measured this on ${new Date().toISOString().slice(0, 10)} in ${minutes.toFixed(1)} minutes,
over loopback http, on ${os.cpus().length} cores with Node ${process.version.slice(1)}; load before it began ${loadBefore.toFixed(1)}.

Each browser has two logins of different tenants under way, and they come back in mixed order. The provider refuses a
code that comes with another client or secret, or at another origin than it was issued for; the page must name the tenant
and the person. The first login that is mixed up ends the run with an error: none was. Every fiftieth answer is tried in
another browser first, and is refused. The heap, in MiB after
garbage collection, and the open connections to the provider are read after ${grouped(warmUp)} logins, and four times more,
after ${grouped(step)} each. The heap of every second reading is comparable: the table of recent logins drops 10 000 at a time.

${table(
  ['One strategy for', 'logins', 'foreign answers refused', 'heap', 'connections'],
  checked.map(({ title, refused, gauges }) => [
    title,
    grouped(warmUp + 4 * step),
    refused,
    gauges.map(({ heap }) => mib(heap)).join(' · '),
    gauges.map(({ open }) => open).join(' · '),
  ]),
)}

The CPU of a whole login, with Express and its session, in microseconds of the app's process, against a strategy for one
client in the same process, in turns (medians and quartiles; the goal is a ratio of at most 1.10). A busy machine widens
the quartiles:

${table(
  ['Provider', 'one strategy for', 'one client', 'many', 'ratio'],
  compared.map(({ provider, kind, count, one, many, ratio }) => [
    NAMES[provider],
    `${grouped(count)} ${KINDS[kind]}`,
    range(one, 0),
    range(many, 0),
    range(ratio, 2),
  ]),
)}

The clients of the last thousand tenants are kept. With 10 000 tenants in turn, each login makes its client anew.
`;
  return await format(text);
}

async function format(text) {
  const options = await prettier.resolveConfig(PAGE);
  return await prettier.format(text, { ...options, parser: 'markdown' });
}

/** The section as it was last measured. */
function latest() {
  return existsSync(FIGURES) ? readFileSync(FIGURES, 'utf8') : '';
}

/** Replaces the section in the page, or puts it before the limits. */
function write(text) {
  writeFileSync(FIGURES, text);
  const page = readFileSync(PAGE, 'utf8').replace(/^## Tenants\n.*?(?=^## )/ms, '');
  writeFileSync(
    PAGE,
    page.replace(/^## Limits$/m, () => `${text}\n## Limits`),
  );
}

module.exports = { compose, latest, write };
