/** Mutation testing: changes one place of a source file at a time, and expects the tests of that file to notice. */
'use strict';
const {
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  symlinkSync,
  writeFileSync,
} = require('node:fs');
const { basename, dirname, join, sep } = require('node:path');
const { execFileSync } = require('node:child_process');
const { transformSync } = require('esbuild');
const { PACKAGES, ROOT, STRATEGIES } = require('./packages');

const CORE = 'packages/crm-oauth2';

/** Percent of a file's mutants that its tests must notice. */
const GOAL = 90;

/**
 * The tests of `src/a/b.ts` are `build/a/b.test.js`; a file without them has all tests of its package. These files of
 * the core have other tests beside their own, or need fewer than all.
 */
const OTHER_TESTS = {
  'check/asking': ['check/client-pair', 'check/index'],
  'check/check': ['check/index'],
  'check/client-pair': ['check/check', 'check/index'],
  'check/issuer': ['check/check', 'check/index'],
  'check/login': ['check/index'],
  'check/login-report': ['check/index'],
  'check/package': ['check/index'],
  'check/reachable': ['check/check', 'check/index'],
  client: [
    'client-environment',
    'client-profile',
    'client-warm',
    'wire/connections',
    'errors/diagnostics',
    'passport/strategy',
  ],
  'client-login-request': ['client', 'passport/authenticate-options'],
  'client-options': ['client-environment', 'client'],
  'client-requests': [
    'client-environment',
    'client',
    'client-warm',
    'passport/classic-oauth2',
    'wire/connections',
    'errors/diagnostics',
    'passport/strategy',
  ],
  'client-tokens': ['client', 'client-environment', 'protocol/id-token'],
  'errors/echoes': ['errors/redaction'],
  'errors/meanings': [
    'protocol/authorization-response',
    'protocol/token-endpoint',
    'protocol/profile-request',
    'passport/errors',
  ],
  'errors/problem': ['errors/oauth2-error'],
  'errors/provider-codes': ['protocol/token-endpoint'],
  'passport/called-back': ['passport/strategy', 'passport/session-turns'],
  'passport/classic-oauth2': ['passport/strategy', 'passport/registrations'],
  'passport/index': ['passport/strategy'],
  'passport/login': ['passport/login-start', 'passport/strategy', 'passport/lost-answer'],
  'passport/login-finish': [
    'passport/ahead',
    'passport/strategy',
    'passport/organizations',
    'passport/passport',
  ],
  'passport/login-start': ['passport/registrations', 'passport/strategy', 'passport/lost-answer'],
  'passport/session-state-store': ['passport/passport'],
  'passport/registrations': ['passport/login-start'],
  'passport/strategy': [
    'passport/registrations',
    'passport/classic-oauth2',
    'passport/authenticate-options',
    'passport/login-start',
    'passport/login-finish',
    'errors/diagnostics',
  ],
  'passport/strategy-options': [
    'passport/strategy',
    'passport/authenticate-options',
    'passport/login-start',
    'passport/registrations',
  ],
  'protocol/authorization-request': ['client'],
  'protocol/id-token': ['protocol/signing-keys'],
  'protocol/login-attempt': ['client'],
  'protocol/signed-token': ['protocol/id-token', 'protocol/signing-keys'],
  'protocol/signing-keys': ['client-warm', 'client-environment', 'client'],
  'protocol/token-endpoint': ['client'],
  'testing/logins': ['testing/provider-checks'],
  'testing/provider-stub': ['testing/provider-checks'],
  'testing/token-store-checks': ['tokens/token-store'],
  'tokens/answer-body': ['tokens/authorized-fetch'],
  'tokens/api-call': ['tokens/authorized-fetch'],
  'tokens/call-limit': ['tokens/authorized-fetch'],
  'tokens/redirects': ['tokens/authorized-fetch'],
  'tokens/postgres-token-store': ['../../../build/pglite'],
  'tokens/record-store': [
    'tokens/user-tokens',
    'tokens/recent-records',
    'tokens/waiting-for-a-lock',
  ],
  'tokens/refused-clients': ['tokens/user-tokens', 'tokens/token-source'],
  'tokens/redis-token-store': ['../../../build/redis'],
  'tokens/user-tokens': [
    'tokens/recent-records',
    'tokens/waiting-for-a-lock',
    'tokens/shared-refresh',
  ],
  'values/jose': ['protocol/signing-keys', 'values/seal'],
  'values/options': ['client-options', 'client', 'passport/strategy'],
  'wire/connections': ['client-warm'],
  'wire/http': ['wire/connections', 'client', 'client-warm'],
  'wire/observed': ['errors/diagnostics'],
};

/** The same for the strategies. The words of all providers have one test. */
const STRATEGY_TESTS = {
  errors: ['../../../build/words', 'provider'],
  profile: ['provider'],
  provider: ['organizations', 'tokens', 'logout', 'hosts', 'login-choice'],
};

/** Tables of texts for people, which hold no check. */
const TEXTS = [`${CORE}/src/errors/codes.ts`, `${CORE}/src/values/foreign-names.ts`];

/** Tests of the time that a text takes: code that counts its steps for the mutation test takes far longer. */
const TIMED = 'in time CWE-1333';

/** Tests of any input, rather than of one, for the files that they import. They run last, being slow. */
const PROPERTIES = ['build/properties.test.js', 'build/fuzz.test.js'];

const SURVIVED = ['Survived', 'NoCoverage'];
const CAUGHT = ['Killed', 'Timeout'];

const read = (path) => readFileSync(join(ROOT, path), 'utf8');

/** The source as CommonJS, as the compiler writes it. Types are not checked: `npm run build` has done that. */
function compile(path) {
  return transformSync(read(path), {
    loader: 'ts',
    format: 'cjs',
    platform: 'node',
    target: 'es2022',
    sourcefile: basename(path),
    tsconfigRaw: { compilerOptions: { esModuleInterop: true, useDefineForClassFields: true } },
  }).code;
}

/** False for a file of types, and for a door that only passes names on. */
function holdsCode(path) {
  const { code } = transformSync(read(path), { loader: 'ts', format: 'esm' });
  return code.replace(/^(?:import|export) (?:[^;]* from [^;]*|\{[^;]*\});\n/gm, '') !== '';
}

function targets() {
  return [CORE, ...STRATEGIES.map(({ folder }) => folder)].flatMap((folder) =>
    readdirSync(join(ROOT, folder, 'src'), { recursive: true, encoding: 'utf8' })
      .map((name) => ({ folder, path: `${folder}/src/${name.split(sep).join('/')}` }))
      .filter(({ path }) => path.endsWith('.ts') && !TEXTS.includes(path) && holdsCode(path)),
  );
}

function testsOf({ folder, path }) {
  const name = nameOf({ folder, path });
  const others = (folder === CORE ? OTHER_TESTS : STRATEGY_TESTS)[name] ?? [];
  const tests = [name, ...others].map((test) => join(folder, 'build', `${test}.test.js`));
  const existing = tests.filter((test) => existsSync(join(ROOT, test)));
  return existing.length > 0 ? existing : [`"${folder}/build/**/*.test.js"`];
}

/** The property tests that import the file, or the strategy that it belongs to. */
function propertiesOf(target) {
  const { name: strategy } = STRATEGIES.find(({ folder }) => folder === target.folder) ?? {};
  return PROPERTIES.filter((test) => {
    const code = read(test);
    return (
      code.includes(`${target.folder}/dist/${nameOf(target)}"`) || code.includes(`("${strategy}")`)
    );
  });
}

/** `protocol/pkce` */
const nameOf = ({ folder, path }) => path.slice(`${folder}/src/`.length, -'.ts'.length);

const mocha = (files) =>
  `node ${join(ROOT, 'node_modules/mocha/bin/mocha.js')} --no-config --require scripts/mocha-offline.js --bail --timeout 10000 --grep "${TIMED}" --invert ${files.join(' ')}`;

function configuration(target) {
  const command = [testsOf(target), propertiesOf(target)]
    .filter((tests) => tests.length > 0)
    .map(mocha)
    .join(' && ');
  return {
    mutate: [target.path],
    buildCommand: `node scripts/mutate.js --build ${target.path}`,
    testRunner: 'command',
    commandRunner: { command },
    concurrency: 2,
    timeoutMS: 10_000,
    reporters: [],
    plugins: [],
    checkers: [],
    logLevel: 'error',
    ignorePatterns: ['coverage', 'examples', 'docs', '*.tgz'],
    // Stryker would rewrite it by an API that TypeScript 7 does not have. No path in it needs that.
    tsconfigFile: 'none',
    // See `build`.
    symlinkNodeModules: false,
    tempDirName: 'coverage/mutation',
    cleanTempDir: 'always',
  };
}

/**
 * Runs in Stryker's copy, once for all mutants of a file. The copy lies inside the repository, so third-party
 * packages are found there; the family's packages are those of the copy.
 */
function build(path) {
  for (const { name, folder } of PACKAGES) {
    const link = join(ROOT, 'node_modules', name);
    mkdirSync(dirname(link), { recursive: true });
    symlinkSync(join(ROOT, folder), link, 'junction');
  }
  writeFileSync(join(ROOT, path.replace('/src/', '/dist/').replace(/\.ts$/, '.js')), compile(path));
  execFileSync(process.execPath, [join(__dirname, 'bundle.js')], { stdio: 'inherit' });
}

function describeMutant(mutant, lines) {
  const { start, end } = mutant.location;
  const first = lines[start.line - 1] ?? '';
  const text =
    start.line === end.line
      ? first.slice(start.column - 1, end.column - 1)
      : `${first.slice(start.column - 1).trim()} …`;
  const replacement = (mutant.replacement ?? '').replace(/\s+/g, ' ');
  return `  ${mutant.status}  line ${start.line}  ${mutant.mutatorName}: ${text}  →  ${replacement}`;
}

/** The mutants of one file, counted; those that no test noticed are printed. */
async function mutate(target) {
  const { Stryker } = await import('@stryker-mutator/core');
  const mutants = await new Stryker(configuration(target)).runMutationTest();
  const survivors = mutants.filter(({ status }) => SURVIVED.includes(status));
  const caught = mutants.filter(({ status }) => CAUGHT.includes(status)).length;
  const result = { path: target.path, caught, all: caught + survivors.length };
  console.log(rowOf(result));
  const lines = read(target.path).split('\n');
  for (const mutant of survivors) console.log(describeMutant(mutant, lines));
  return result;
}

/** A file without mutants has none to miss. */
const percentOf = ({ caught, all }) => (all === 0 ? 100 : (caught / all) * 100);

const rowOf = ({ path, caught, all }) =>
  `${percentOf({ caught, all }).toFixed(1).padStart(5)} %  ${`${caught} of ${all}`.padStart(11)}  ${path}`;

async function main(names) {
  const wanted = names.map((name) => basename(name, '.ts'));
  const chosen = targets().filter(
    ({ path }) => wanted.length === 0 || wanted.includes(basename(path, '.ts')),
  );
  if (chosen.length === 0) throw new Error(`No file is called ${names.join(', ')}`);
  const results = [];
  for (const target of chosen) results.push(await mutate(target));

  const sum = (field) => results.reduce((total, result) => total + result[field], 0);
  console.log(`\n${results.map(rowOf).join('\n')}`);
  console.log(rowOf({ path: 'in all', caught: sum('caught'), all: sum('all') }));
  const below = results.filter((result) => percentOf(result) < GOAL);
  if (below.length > 0) {
    console.error(`Below ${GOAL} %: ${below.map(({ path }) => path).join(', ')}`);
    process.exitCode = 1;
  }
}

if (process.argv[2] === '--build') build(process.argv[3]);
else if (require.main === module) {
  main(process.argv.slice(2)).catch((error) => {
    console.error(error);
    process.exitCode = 1;
  });
}

module.exports = { targets, testsOf };
