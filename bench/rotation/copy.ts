/**
 * A copy of the built library, so that a build meanwhile does not change a run; and its mutants, each of
 * which lacks one thing that the proof must notice.
 */
import {
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';

const PACKAGES = ['crm-oauth2', 'passport-salesloft'];
/** The dependencies of the packages, installed beside `redis`. */
const MODULES = dirname(dirname(require.resolve('redis/package.json')));

const CORE = join('crm-oauth2', 'lib');

interface Mutant {
  title: string;
  text: string;
  replacement: string;
}

export const MUTANTS: Readonly<Record<string, Mutant>> = {
  late: {
    title: 'stores each new pair 1.2 s late',
    // With the next line, which the store in PostgreSQL does not have.
    text: 'const sealed = await this.#values.seal(key, value);\n    const name =',
    replacement: `if (JSON.parse(value).refresh === undefined) {
      await new Promise((resolve) => setTimeout(resolve, 1200));
    }
    const sealed = await this.#values.seal(key, value);
    const name =`,
  },
  'no-lock': {
    title: 'gives the lock to every process',
    text: "return redis.call('SET', KEYS[1], ARGV[1], 'NX', 'PX', ARGV[2])",
    replacement: "return redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])",
  },
  'no-comparison': {
    title: 'writes without a comparison',
    text: "if (now or '') ~= ARGV[2] then return 0 end",
    replacement: '',
  },
};

/** @returns the folder whose `node_modules` has the copy */
export function copyLibrary(folder: string, mutant: string | undefined): string {
  const modules = join(folder, 'library', 'node_modules');
  for (const name of PACKAGES) {
    const from = dirname(require.resolve(`${name}/package.json`));
    mkdirSync(join(modules, name), { recursive: true });
    cpSync(join(from, 'package.json'), join(modules, name, 'package.json'));
    cpSync(join(from, 'lib'), join(modules, name, 'lib'), { recursive: true });
    const { dependencies = {} } = JSON.parse(readFileSync(join(from, 'package.json'), 'utf8')) as {
      dependencies?: object;
    };
    for (const dependency of Object.keys(dependencies)) link(dependency, modules);
  }
  const change = MUTANTS[mutant ?? ''];
  if (change) mutate(join(modules, CORE), change);
  return dirname(modules);
}

/** Types have no part in a run, and the packages themselves are copied. */
function link(name: string, modules: string): void {
  if (PACKAGES.includes(name) || name.startsWith('@types/')) return;
  const path = join(modules, name);
  mkdirSync(dirname(path), { recursive: true });
  if (!existsSync(path)) symlinkSync(join(MODULES, name), path, 'junction');
}

/** Changes the one line of the built files that a mutant is made of. */
function mutate(folder: string, { title, text, replacement }: Mutant): void {
  const parts = readdirSync(folder)
    .map((name) => ({ file: join(folder, name), source: readFileSync(join(folder, name), 'utf8') }))
    .filter(({ source }) => source.includes(text));
  const [only] = parts;
  if (!only || parts.length > 1 || only.source.split(text).length !== 2) {
    throw new Error(
      `The mutant that ${title} cannot be made: ${CORE} has no such line, or several.`,
    );
  }
  writeFileSync(
    only.file,
    only.source.replace(text, () => replacement),
  );
}
