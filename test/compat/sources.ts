/** The programs of programs/, in the language, the module form and the file ending of a cell. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { transformSync } from 'esbuild';
import { ROOT } from '../support/packages';

const PROGRAMS = join(ROOT, 'test', 'compat', 'programs');
const FILES = {
  browser: join(ROOT, 'test', 'support', 'browser.ts'),
  doors: join(PROGRAMS, 'doors.ts'),
  login: join(PROGRAMS, 'login.ts'),
  main: join(PROGRAMS, 'main.ts'),
};

/** The line that `main` prints. */
export const LOGGED_IN =
  '["salesloft: Zoë Ångström","salesos: Zoë Ångström","salesforce: Zoë Ångström"]';

export interface Form {
  language: 'js' | 'ts';
  modules: 'commonjs' | 'esm';
  /** Of the files, such as `.mjs`. */
  ending: string;
  /** Of the specifiers, where it is not that of the files. */
  importEnding?: string;
}

/** JavaScript that `require` loads, written as people write it. */
const asCommonJs = (code: string): string => {
  const names: string[] = [];
  const body = code
    .replace(/^import (\w+) from ("[^"]+");$/gm, 'const $1 = require($2);')
    .replace(/^import (\{[^}]+\}) from ("[^"]+");$/gm, 'const $1 = require($2);')
    .replace(/^export \{\s*([^}]+?)\s*\};$/gm, (_, list: string) => {
      names.push(list);
      return '';
    })
    .replace(/^export ((?:async )?function|class) (\w+)/gm, (_, kind: string, name: string) => {
      names.push(name);
      return `${kind} ${name}`;
    });
  return `${body}\nmodule.exports = { ${names.join(', ')} };\n`;
};

/** By file name: the program that logs in, and `main`, which runs it. */
export function programs(form: Form): Record<string, string> {
  const { language, modules, ending, importEnding = ending } = form;
  return Object.fromEntries(
    Object.entries(FILES)
      .filter(([name]) => language === 'ts' || name !== 'doors')
      .map(([name, file]) => {
        const source = readFileSync(file, 'utf8').replace(
          /from '\.[./]*\/(?:support\/)?(\w+)'/g,
          `from './$1${importEnding}'`,
        );
        if (language === 'ts') return [`${name}${ending}`, source];
        const { code } = transformSync(source, { loader: 'ts', target: 'es2022' });
        return [`${name}${ending}`, modules === 'commonjs' ? asCommonJs(code) : code];
      }),
  );
}

export const COMMONJS: Form = { language: 'js', modules: 'commonjs', ending: '.cjs' };
export const ES_MODULES: Form = { language: 'js', modules: 'esm', ending: '.mjs' };
