/**
 * Makes of each published package what it loads: one file, or one a door. Forty small files are good
 * to read, and cost an application that starts more than all they do. Runs after the compiler, which
 * has checked the types and written the declarations.
 */
'use strict';
const { readFileSync, writeFileSync } = require('node:fs');
const { join } = require('node:path');
const { buildSync } = require('esbuild');

const root = join(__dirname, '..');
const STRATEGIES = ['passport-salesloft', 'passport-salesos', 'passport-salesforce-oauth2'];

function bundle(name, source, outfile) {
  const folder = join(root, 'packages', name);
  buildSync({
    stdin: { contents: source, resolveDir: join(folder, 'src'), loader: 'ts' },
    outfile: join(folder, 'lib', outfile),
    bundle: true,
    packages: 'external',
    platform: 'node',
    format: 'cjs',
    target: 'node20.19',
    // Decides how ES modules see what is required; TypeScript's own rule for these packages.
    tsconfigRaw: { compilerOptions: { esModuleInterop: true } },
    logLevel: 'warning',
  });
  announce(join(folder, 'lib', outfile));
}

/** Node's reader of CommonJS finds the names for `import { Strategy }` here; it never runs. */
function announce(file) {
  const names = Object.keys(require(file)).filter((name) => name !== 'default' && name !== 'main');
  const text = readFileSync(file, 'utf8').replace(
    /\n\/\/ Annotate the CommonJS export names[^]*$/,
    '\n',
  );
  writeFileSync(file, `${text}0 && (module.exports = { ${names.join(', ')} });\n`);
}

// Both doors are one file, so that each class exists once; the first door is a window of the second.
bundle(
  'crm-oauth2',
  "export * from './passport/index'; export * as main from './index';",
  'passport.js',
);
const index = join(root, 'packages/crm-oauth2/lib/index.js');
writeFileSync(index, "'use strict';\nmodule.exports = require('./passport.js').main;\n");
announce(index);
bundle('crm-oauth2', "export * from './testing/token-store-checks';", 'conformance.js');
for (const name of STRATEGIES)
  bundle(name, "import s = require('./index'); export = s;", 'index.js');
