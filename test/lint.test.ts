/** Breaks each rule of `npm run lint` on purpose, and expects the linter to name the file, the line and the remedy. */
import { spawnSync } from 'node:child_process';
import {
  appendFileSync,
  copyFileSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { expect } from 'chai';

interface Finding {
  line: number;
  found: string;
  pattern?: RegExp;
}
interface Exception {
  file: string;
  phrase: string;
  reason: string;
}
type CheckText = (path: string, text: string, exceptions?: Exception[]) => Finding[];

const ROOT = join(__dirname, '..');
const { checkText, PATTERNS } = require('../scripts/check-prose.js') as {
  checkText: CheckText;
  PATTERNS: { pattern: RegExp }[];
};

const OPENING = '/** Adds numbers for the tests of the linter. */\n';

describe('lint', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'lint-'));
    copyFileSync(join(ROOT, '.oxlintrc.json'), join(folder, '.oxlintrc.json'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  function write(path: string, text: string): string {
    const file = join(folder, path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
    return file;
  }
  function run(script: string, parameters: string[]) {
    const ran = spawnSync(process.execPath, [resolve(ROOT, script), ...parameters], {
      cwd: folder,
      encoding: 'utf8',
    });
    return { failed: ran.status !== 0, output: ran.stdout + ran.stderr };
  }
  const oxlint = () => run('node_modules/oxlint/bin/oxlint', ['--format=unix']);

  const lines = (count: number) => '// A line.\n'.repeat(count);
  const longFunction = (inside: number) =>
    `export function longest() {\n${lines(inside)}  return 1;\n}\n`;

  it('npm run lint — runs every check, and CI runs it', () => {
    const { scripts } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
      scripts: { lint: string };
    };
    expect(scripts.lint.split(' && ')).to.deep.equal([
      'node scripts/prepare.js',
      'oxlint --type-aware',
      'node scripts/check-prose.js',
      'node scripts/docs.js --check',
      'node scripts/check-options.js',
      'prettier --check .',
    ]);
    expect(readFileSync(join(ROOT, '.ci', 'run'), 'utf8')).to.match(
      /^npm run lint\nlinted=\$\?$[^]*^\[ "\$linted" -eq 0 \] && .*$\n(?![^])/m,
    );
  });

  it('docs.js --check — refuses a page that differs from the code', () => {
    for (const name of ['packages', 'node_modules']) {
      symlinkSync(join(ROOT, name), join(folder, name), 'junction');
    }
    for (const name of ['docs', 'scripts', '.prettierrc.json']) {
      cpSync(join(ROOT, name), join(folder, name), { recursive: true });
    }
    const check = () => run(join(folder, 'scripts', 'docs.js'), ['--check']);
    expect(check()).to.deep.equal({ failed: false, output: '' });
    appendFileSync(join(folder, 'docs', 'errors.md'), 'A line by hand.\n');
    const { failed, output } = check();
    expect(failed).to.equal(true);
    expect(output).to.match(/docs\/errors\.md.*npm run docs/);
  });

  describe('oxlint', () => {
    it('passes sources within all limits', () => {
      write('packages/x/src/a.ts', `import type { B } from './b';\nexport type A = B;\n`);
      write('packages/x/src/b.ts', `export type B = 1;\n${lines(449)}`);
      write('examples/x/src/a.ts', longFunction(77));
      write('packages/x/test/long.ts', longFunction(500));
      expect(oxlint()).to.deep.include({ failed: false });
    });

    for (const sources of ['packages/x/src', 'examples/x/src']) {
      describe(sources, () => {
        const fails = (path: string, message: string) => {
          const { failed, output } = oxlint();
          expect(output).to.include(`${sources}/${path}`).and.include(message);
          expect(failed).to.equal(true);
        };

        it('refuses an import circle', () => {
          write(`${sources}/a.ts`, `import { b } from './b';\nexport const a = () => b;\n`);
          write(`${sources}/b.ts`, `import { a } from './a';\nexport const b = () => a;\n`);
          fails('a.ts:1:', 'Dependency cycle detected');
        });

        it('refuses an import circle of types alone', () => {
          write(`${sources}/a.ts`, `import type { B } from './b';\nexport type A = B[];\n`);
          write(`${sources}/b.ts`, `export type * from './c';\nexport type B = 1;\n`);
          write(`${sources}/c.ts`, `import { type A } from './a';\nexport type C = A;\n`);
          fails('c.ts:1:', 'Dependency cycle detected');
        });

        it('refuses an import of a type that the search for circles does not see', () => {
          write(`${sources}/a.ts`, `export type A = import('./b').B;\n`);
          fails('a.ts:1:', '`import()` type annotations are forbidden');
        });

        it('refuses a file of 451 lines', () => {
          write(`${sources}/long.ts`, `export const a = 1;\n${lines(450)}`);
          fails('long.ts:451:', 'File has too many lines (451)');
        });

        it('refuses a function of 81 lines', () => {
          write(`${sources}/long.ts`, longFunction(78));
          fails('long.ts:1:', 'The function `longest` has too many lines (81)');
        });
      });
    }
  });

  describe('check-prose', () => {
    const BROKEN: Record<string, string> = {
      Whither: '// Whither a redirect leads is checked.',
      lest: '// Refreshes early, lest the token ends.',
      thereof: '// The token and the end thereof.',
      whoever: "const hint = 'Give it to whoever asks.';",
      whom: '/** The person to whom the token belongs. */',
      nobody: "it('asks nobody', () => {});",
      'is no JSON': "throw new Error('the answer is no JSON object');",
      'are no text': '/* Numbers are\n no text. */',
      What: '/**\n * What a store holds.\n */',
      Who: '// The lock is free. Who takes it first refreshes.',
      Whether: '/** Whether the token is fresh. */',
      'That the': '// That the store is down is reported.',
      who: "it('lock — who waits asks again', () => {});",
      whatever: "describe('whatever a store says', () => {});",
      'not need no': '// It does not need no token.',
      'never sends nothing': 'const text = `A client never sends nothing: ${reason}`;',
      'nothing is not': '// Here nothing is not checked.',
      'not unknown': '// The key is not unknown.',
    };
    const found = (text: string, path = 'scripts/x.js') =>
      checkText(path, text).map((finding) => [finding.line, finding.found]);

    for (const [words, text] of Object.entries(BROKEN)) {
      it(`refuses "${words}"`, () => {
        const line = /\n \* What/.test(text) ? 3 : 2;
        expect(found(`\n${text}\n`)).to.deep.equal([[line, words]]);
      });
    }

    it('has a sample here for each pattern', () => {
      const text = Object.values(BROKEN).join('\n\n');
      const broken = new Set(checkText('x.js', text).map(({ pattern }) => pattern));
      expect(broken.size).to.equal(PATTERNS.length);
    });

    it('passes plain sentences, questions, labels and code', () => {
      const text = [
        '// The caller decides what is sent. That is all. There is no token, and no longer a key.',
        '// What is missing? That key.',
        '/** Not before the deadline, because no token is there. `nobody` is a user. */',
        "const label = 'What failed';",
        "const user = 'nobody';",
        'const nobody = /whom "/.test(whom) ? `${whoever / 2}` : {};',
        "// const x = 'a quote that does not end: ",
        '/**\n * ```js\n * // What nobody reads.\n * ```\n */',
      ].join('\n\n');
      expect(found(text)).to.deep.equal([]);
    });

    it('reads the texts of templates, and the code between them', () => {
      const text = "const a = `one ${b(`two ${'asks nobody'}`, { c: /`/ })} is no answer`;";
      expect(found(text)).to.deep.equal([
        [1, 'nobody'],
        [1, 'is no answer'],
      ]);
    });

    it('reads Markdown outside its code, and leaves headings alone', () => {
      const text = [
        '# What it is',
        '| What | Who |\n| --- | --- |\n| a token | What nobody reads |',
        '```js\n// whom\n```',
        '`lest` <!-- whither -->',
        '- [What it is](#what-it-is)\n- A list.\n  What follows\n  is refused.',
      ].join('\n\n');
      expect(found(text, 'README.md')).to.deep.equal([
        [5, 'What'],
        [5, 'nobody'],
        [15, 'What'],
      ]);
    });

    it('excuses an exception in its file and within its phrase alone', () => {
      const exception = { file: 'a.js', phrase: 'the user nobody', reason: 'a name of Unix' };
      const text = '// Runs as the user\n// nobody, and asks nobody.';
      expect(checkText('a.js', text, [exception]).map(({ line }) => line)).to.deep.equal([2]);
      expect(checkText('b.js', text, [exception])).to.have.length(2);
    });

    for (const path of ['packages/x/src/a.ts', 'examples/x/src/deeper/a.ts']) {
      it(`refuses ${path} without a first line that says its purpose`, () => {
        const long = '/**\n * Adds numbers.\n */\nexport const a = 1;\n';
        expect(found(long, path)).to.deep.equal([[1, '/**']]);
        expect(found('export const a = 1;\n', path)).to.deep.equal([[1, 'export const a = 1;']]);
        expect(found(`${OPENING}${long}`, path)).to.deep.equal([]);
      });
    }

    it('fails as a command, with the file, the line and the remedy', () => {
      const good = write('packages/x/src/good.ts', `${OPENING}export const a = 1;\n`);
      expect(run('scripts/check-prose.js', [good])).to.deep.equal({ failed: false, output: '' });
      write('packages/x/src/bad.ts', `${OPENING}// Asks nobody.\nexport const b = 1;\n`);
      const { failed, output } = run('scripts/check-prose.js', [folder]);
      expect(failed).to.equal(true);
      expect(output).to.match(
        /packages\/x\/src\/bad\.ts:2: "nobody" hides who acts\. Write instead: name the actor/,
      );
      expect(output).not.to.include('good.ts');
    });
  });
});
