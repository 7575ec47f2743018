/** Checks docs/internals/threat-model.md: each test that it names exists, and each section of the standards has its row. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { expect } from 'chai';

const root = join(__dirname, '..');
const model = readFileSync(join(root, 'docs/internals/threat-model.md'), 'utf8');

interface Row {
  section: string;
  attack: string;
  tests: string[];
}

/** The rows of every table whose last column names tests. */
function rows(): Row[] {
  const found: Row[] = [];
  for (const part of model.split(/^## /m).slice(1)) {
    const [section = ''] = part.split('\n');
    const lines = part.split('\n').filter((line) => line.startsWith('|'));
    const [head = '', , ...body] = lines.map((line) =>
      line
        .split('|')
        .slice(1, -1)
        .map((cell) => cell.trim()),
    );
    if (head.at(-1) !== 'Fails without it') continue;
    for (const cells of body) {
      expect(cells, `${section}: ${cells[0]}`).to.have.lengthOf(4);
      const tests = [...(cells[3] ?? '').matchAll(/`([^`]+)`/g)].map(([, title]) => title ?? '');
      found.push({ section, attack: cells[0] ?? '', tests });
    }
  }
  return found;
}

/** The full titles of all tests of the repository. No test is run. */
function titles(): string[] {
  const mocha = createRequire(__filename).resolve('mocha/bin/mocha.js');
  const printed = execFileSync(process.execPath, [mocha, '--dry-run', '--reporter', 'json'], {
    cwd: root,
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const { tests } = JSON.parse(printed.slice(printed.indexOf('{'))) as {
    tests: { fullTitle: string }[];
  };
  return tests.map(({ fullTitle }) => fullTitle);
}

const numbered = (prefix: string, last: number) =>
  Array.from({ length: last }, (_, index) => `${prefix}${index + 1}`);

describe('threat model', () => {
  it('tests — exist, under the titles that are quoted', function () {
    this.timeout(60_000);
    const known = titles();
    expect(known.length).to.be.above(2000);
    const missing = rows()
      .flatMap(({ tests }) => tests)
      .filter((title) => !known.some((full) => full === title || full.endsWith(` ${title}`)));
    expect(missing).to.deep.equal([]);
  });

  it('attacks — each has a test', () => {
    const all = rows();
    expect(all.length).to.be.above(60);
    expect(all.filter(({ tests }) => tests.length === 0).map(({ attack }) => attack)).to.deep.equal(
      [],
    );
  });

  for (const [specification, sections] of [
    ['RFC 9700', numbered('§4.', 17)],
    ['RFC 6749', numbered('§10.', 16)],
    ['RFC 7636', numbered('§7.', 5)],
    ['OpenID Connect Core §3.1.3.7', numbered('Item ', 13)],
    ['OpenID Connect Core §16', numbered('§16.', 22)],
  ] as const) {
    it(`${specification} — has a row for each section`, () => {
      const parts = model.split(/^## /m).filter((part) => part.startsWith(`${specification}:`));
      expect(parts).to.have.lengthOf(1);
      const missing = sections.filter(
        (section) => !new RegExp(`${section.replaceAll('.', '\\.')}(?![0-9])`).test(parts[0] ?? ''),
      );
      expect(missing).to.deep.equal([]);
    });
  }
});
