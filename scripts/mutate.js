/**
 * Mutation testing of the files that hold checks. Stryker changes one of them at a time, in a copy of
 * the repository, and the unit tests that belong to it must notice.
 *
 * `npm run mutate -- hosts ids` takes only the files with these names. It fails when the tests of a
 * file notice less than the goal; `docs/mutation.md` says of every mutant they miss why.
 */
'use strict';
const { readFileSync } = require('node:fs');
const { basename, dirname, join } = require('node:path');

const root = join(__dirname, '..');
const CORE = 'packages/crm-oauth2';
const SALESFORCE = 'packages/passport-salesforce-oauth2';

/** Percent of a file's mutants that its tests must notice. */
const GOAL = 90;

/** Each: its package, its name under `src`, and the compiled tests it must satisfy. */
const TARGETS = [
  [CORE, 'protocol/authorization-response', ['authorization-response']],
  [CORE, 'protocol/authorization-request', ['authorization-request']],
  [CORE, 'protocol/token-endpoint', ['token-endpoint']],
  [CORE, 'protocol/id-token', ['id-token']],
  [CORE, 'protocol/profile-request', ['bearer-request']],
  [CORE, 'wire/http', ['http', 'connections', 'client', 'door']],
  [CORE, 'client', ['client', 'connections', 'diagnostics', 'passport/strategy']],
  [CORE, 'values/options', ['options', 'client']],
  [CORE, 'errors/oauth2-error', ['errors']],
  [CORE, 'protocol/login-attempt', ['login-attempt', 'client']],
  [CORE, 'protocol/pkce', ['pkce']],
  [CORE, 'wire/deadline', ['deadline']],
  [CORE, 'wire/connections', ['connections']],
  [CORE, 'values/seal', ['seal']],
  [CORE, 'tokens/sealed-values', ['tokens/sealed-values']],
  [CORE, 'passport/login', ['passport/passport', 'passport/strategy']],
  [CORE, 'passport/session-state-store', ['passport/session-state-store', 'passport/passport']],
  [CORE, 'passport/cookie-state-store', ['passport/cookie-state-store']],
  [CORE, 'passport/recent-logins', ['passport/recent-logins']],
  [CORE, 'passport/missing-attempt', ['passport/missing-attempt']],
  [CORE, 'passport/verify', ['passport/verify']],
  [CORE, 'tokens/user-tokens', ['tokens/user-tokens', 'tokens/waiting-for-a-lock']],
  [CORE, 'tokens/freshness', ['tokens/freshness']],
  [CORE, 'tokens/token-record', ['tokens/token-record']],
  [CORE, 'tokens/token-source', ['tokens/token-source']],
  [CORE, 'tokens/refresh-plan', ['tokens/refresh-plan']],
  [CORE, 'tokens/authorized-fetch', ['tokens/authorized-fetch']],
  [SALESFORCE, 'signature', ['signature']],
  [SALESFORCE, 'hosts', ['hosts']],
  [SALESFORCE, 'ids', ['ids']],
  [SALESFORCE, 'profile', ['profile']],
  [SALESFORCE, 'provider', ['provider', 'tokens']],
];

/** For every file: any input, rather than one. They run last, when no other test has noticed. */
const SHARED = ['build/properties.test.js', 'build/fuzz.test.js'];

const SURVIVED = ['Survived', 'NoCoverage'];
const CAUGHT = ['Killed', 'Timeout'];

const mocha = (files) =>
  `node node_modules/mocha/bin/mocha.js --no-config --bail --timeout 10000 ${files.join(' ')}`;

function configuration([folder, name, tests]) {
  const own = tests.map((test) => `${folder}/build/${test}.test.js`);
  return {
    mutate: [`${folder}/src/${name}.ts`],
    buildCommand: `node scripts/mutate.js --build ${folder}`,
    testRunner: 'command',
    commandRunner: { command: `${mocha(own)} && ${mocha(SHARED)}` },
    concurrency: 2,
    timeoutMS: 10_000,
    reporters: [],
    plugins: [],
    checkers: [],
    logLevel: 'error',
    ignorePatterns: ['coverage', 'examples', 'docs', '*.tgz'],
    // Stryker would rewrite it by TypeScript's old API, which is gone; no path in it needs that.
    tsconfigFile: 'none',
    tempDirName: 'coverage/mutation',
    cleanTempDir: 'always',
  };
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

async function main(names) {
  const { Stryker } = await import('@stryker-mutator/core');
  const chosen = TARGETS.filter(
    ([, name]) => names.length === 0 || names.some((wanted) => basename(name) === basename(wanted)),
  );
  if (chosen.length === 0) throw new Error(`None of them is called ${names.join(', ')}`);
  const total = { caught: 0, all: 0 };
  const below = [];
  for (const target of chosen) {
    const [folder, name] = target;
    const path = `${folder}/src/${name}.ts`;
    const mutants = await new Stryker(configuration(target)).runMutationTest();
    const caught = mutants.filter(({ status }) => CAUGHT.includes(status)).length;
    const survivors = mutants.filter(({ status }) => SURVIVED.includes(status));
    const all = caught + survivors.length;
    total.caught += caught;
    total.all += all;
    if (caught * 100 < all * GOAL) below.push(path);
    console.log(`${((caught / all) * 100).toFixed(1).padStart(5)} %  ${caught} of ${all}  ${path}`);
    const lines = readFileSync(join(root, path), 'utf8').split('\n');
    for (const mutant of survivors) console.log(describeMutant(mutant, lines));
  }
  console.log(`\n${((total.caught / total.all) * 100).toFixed(1)} % of ${total.all} mutants`);
  if (below.length > 0) {
    console.error(`Below ${GOAL} %: ${below.join(', ')}`);
    process.exitCode = 1;
  }
}

/** Runs in Stryker's copy. The changed file is not type-checked, and is written all the same. */
function build(folder) {
  const { spawnSync } = require('node:child_process');
  const tsc = join(dirname(require.resolve('typescript/package.json')), 'bin', 'tsc');
  spawnSync(process.execPath, [tsc, '-b', folder], { stdio: 'inherit' });
  spawnSync(process.execPath, [join(__dirname, 'bundle.js')], { stdio: 'inherit' });
}

if (process.argv[2] === '--build') build(process.argv[3]);
else {
  main(process.argv.slice(2)).catch((error) => {
    console.error(error);
    process.exitCode = 1;
  });
}
