/**
 * Says what still keeps a release from being published, each with its remedy. It fails when something is
 * missing, and when something cannot be known, such as the names in the registry on a machine without network.
 */
'use strict';
const { existsSync, readFileSync, readdirSync } = require('node:fs');
const { join, sep } = require('node:path');
const { UNRELEASED, changesOf } = require('./changelog');
const { addressesOf, readManifest, staleManifests } = require('./manifests');
const { npm, run } = require('./npm');
const { inTemporaryFolder, pack, stage } = require('./pack');

/** Not a dependency, since only a release needs it. */
const ATTW = '@arethetypeswrong/cli@0.18.5';

const WORKFLOW = '.github/workflows/release.yml';

const ATTW_MINUTES = 5;

/** Sentences that are true only before the first publication. */
const NOT_PUBLISHED =
  /\bbefore the packages are published|\buntil the packages? (?:is|are) published|\bnot in the registry yet/i;

const missing = (sentence, remedy) => ({ kind: 'missing', sentence, remedy });
const unknown = (sentence, remedy) => ({ kind: 'unknown', sentence, remedy });
const known = (sentence) => ({ kind: 'known', sentence });

const list = (names) => names.join(', ').replace(/, ([^,]*)$/, ' and $1');

/** The findings, or one sentence where there are none. */
const orElse = (findings, sentence) => (findings.length > 0 ? findings : [known(sentence)]);

function checkAddress({ root, packages }) {
  let address;
  try {
    address = addressesOf(root);
  } catch (error) {
    return [missing(error.message, 'Write the address in this form, and run `npm run manifests`.')];
  }
  const findings = [];
  if (address.isPlaceholder) {
    findings.push(
      missing(
        `The address of the repository is a placeholder: ${address.web}.`,
        'Put the real one into "repository.url" of package.json, and run `npm run manifests`.',
      ),
    );
  }
  for (const { file } of staleManifests(root, packages)) {
    findings.push(
      missing(`${file} does not have the address in package.json.`, 'Run `npm run manifests`.'),
    );
  }
  return orElse(findings, `Each manifest names ${address.web}.`);
}

function checkVersions({ root, packages }) {
  const { version } = JSON.parse(readFileSync(join(root, 'lerna.json'), 'utf8'));
  const names = packages.map(({ name }) => name);
  const findings = [];
  const expect = (file, what, found, expected) => {
    if (found === expected) return;
    findings.push(
      missing(
        `${what} in ${file} is ${found ?? 'absent'}, and lerna.json says ${version}.`,
        `Write ${expected}. \`npm run release\` changes all versions together.`,
      ),
    );
  };
  const lock = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')).packages;
  for (const { name, folder } of packages) {
    const manifest = readManifest(root, folder);
    expect(`${folder}/package.json`, 'The version', manifest.version, version);
    expect('package-lock.json', `The version of ${name}`, lock[folder]?.version, version);
    for (const [needed, range] of Object.entries(manifest.dependencies ?? {})) {
      if (names.includes(needed)) {
        expect(`${folder}/package.json`, `The range of ${needed}`, range, `^${version}`);
      }
    }
  }
  return orElse(findings, `Each package has version ${version}.`);
}

/** The tag of this version may be of an earlier commit: then the changes since are of the next version. */
async function isReleased(git, version) {
  const tags = async (...parameters) => (await git(['tag', ...parameters])).stdout.split('\n');
  const tag = `v${version}`;
  return (await tags('--list', tag)).includes(tag) && !(await tags('--points-at')).includes(tag);
}

async function checkChangelog({ root, git }) {
  const file = join(root, 'CHANGELOG.md');
  const text = existsSync(file) ? readFileSync(file, 'utf8') : '';
  const { version } = JSON.parse(readFileSync(join(root, 'lerna.json'), 'utf8'));
  const has = (name) => /^- /m.test(changesOf(text, name) ?? '');
  if (has(UNRELEASED)) return [known('CHANGELOG.md has unreleased changes.')];
  return has(version) && !(await isReleased(git, version))
    ? [known(`CHANGELOG.md has the changes of ${version}.`)]
    : [
        missing(
          `CHANGELOG.md lists no change since the last release under "${UNRELEASED}".`,
          `Write under "## ${UNRELEASED}" the changes that a user notices.`,
        ),
      ];
}

async function checkGit({ root, git }) {
  const findings = [];
  const status = await git(['status', '--porcelain']);
  if (status.status !== 0) {
    const remedy = 'Run the check in a clone of the repository.';
    return [unknown(`git does not know the state of this folder: ${status.stderr.trim()}`, remedy)];
  }
  const changed = status.stdout.split('\n').filter(Boolean).length;
  if (changed > 0) {
    findings.push(
      missing(
        `The tree is dirty: ${changed} ${changed === 1 ? 'file differs' : 'files differ'} from the last commit.`,
        'Commit them, or take them back. `git status` lists them.',
      ),
    );
  }
  const remote = await git(['remote', 'get-url', 'origin']);
  if (remote.status !== 0) {
    findings.push(
      missing(
        'The clone has no remote "origin", to which the tag of a release is pushed.',
        'Run `git remote add origin ADDRESS`, and push the branch.',
      ),
    );
  } else if (!isSameRepository(remote.stdout, readManifest(root, '.').repository?.url ?? '')) {
    findings.push(
      missing(
        'The remote "origin" is another repository than the one in package.json.',
        'Correct "repository.url" of package.json, or release from a clone of that repository. The registry refuses provenance from another one.',
      ),
    );
  }
  return orElse(findings, 'The tree is clean.');
}

/** Compares hosts and paths. An address of a remote may hold a password, so no message repeats it. */
function isSameRepository(...addresses) {
  const [first, second] = addresses.map((address) =>
    address
      .trim()
      .replace(/^git\+/, '')
      .replace(/^(?:\w+:\/\/)?(?:[^/@]*@)?([^/:]+)(?::\d+)?[/:]/, '$1/')
      .replace(/(?:\.git)?\/?$/, '')
      .toLowerCase(),
  );
  return first === second;
}

function checkLicences({ root, packages }) {
  const findings = [];
  const licence = readFileSync(join(root, 'LICENSE'), 'utf8');
  const { license } = readManifest(root, '.');
  for (const { folder } of packages) {
    const file = join(root, folder, 'LICENSE');
    if (!existsSync(file) || readFileSync(file, 'utf8') !== licence) {
      findings.push(
        missing(
          `${folder}/LICENSE is not the licence of the repository.`,
          `Run \`cp LICENSE ${folder}/\`.`,
        ),
      );
    }
    if (readManifest(root, folder).license !== license) {
      findings.push(
        missing(
          `${folder}/package.json does not name the licence of the root, ${license}.`,
          `Write "license": "${license}".`,
        ),
      );
    }
    for (const { name, file: bundle } of unlicensed(root, folder)) {
      findings.push(
        missing(
          `${folder}/lib/${bundle} contains ${name}, whose licence does not stand beside it.`,
          'Let scripts/bundle.js write its licences.',
        ),
      );
    }
  }
  return orElse(findings, 'Each package has its licence, and those of the code that is built in.');
}

/** Packages in the bundles of a package, by the comments of esbuild, that no list of licences names. */
function unlicensed(root, folder) {
  const lib = join(root, folder, 'lib');
  const files = existsSync(lib) ? readdirSync(lib).filter((file) => /\.c?js$/.test(file)) : [];
  return files.flatMap((file) => {
    const text = readFileSync(join(lib, file), 'utf8');
    const beside = join(lib, `${file}.LICENSES.txt`);
    const licences = existsSync(beside) ? readFileSync(beside, 'utf8') : '';
    const names = [...text.matchAll(/^\s*\/\/ \S*node_modules\/((?:@[^/]+\/)?[^/\s]+)/gm)].map(
      ([, name]) => name,
    );
    return [...new Set(names)]
      .filter((name) => !licences.split('\n').some((line) => line.startsWith(`${name} `)))
      .map((name) => ({ name, file }));
  });
}

function checkProvenance({ root, packages }) {
  const findings = packages
    .filter(({ folder }) => {
      const { access, provenance } = readManifest(root, folder).publishConfig ?? {};
      return access !== 'public' || provenance !== true;
    })
    .map(({ folder }) =>
      missing(
        `${folder}/package.json does not ask for provenance.`,
        'Write "publishConfig": { "access": "public", "provenance": true }.',
      ),
    );
  const file = join(root, WORKFLOW);
  if (!existsSync(file) || !/^\s+id-token: write$/m.test(readFileSync(file, 'utf8'))) {
    findings.push(
      missing(
        `${WORKFLOW} may not sign provenance.`,
        'Give the job that publishes the permission "id-token: write".',
      ),
    );
  }
  return orElse(findings, 'Each package is published with provenance.');
}

function checkDocuments({ root, packages }) {
  const pages = [
    'README.md',
    ...packages.map(({ folder }) => `${folder}/README.md`),
    ...readdirSync(join(root, 'docs'), { recursive: true })
      .map((name) => `docs/${name.split(sep).join('/')}`)
      .filter((page) => page.endsWith('.md') && !page.endsWith('/releasing.md')),
  ];
  const early = pages
    .filter((page) => existsSync(join(root, page)))
    .filter((page) => NOT_PUBLISHED.test(readFileSync(join(root, page), 'utf8')));
  return early.length === 0
    ? [known('Each page takes the packages for published.')]
    : [
        missing(
          `These pages say that the packages are not published: ${list(early)}.`,
          'Say `npm install NAME` in its place, in the commit before the release.',
        ),
      ];
}

/** Asks the registry for one name: `{ name, state }`: free, ours, taken or unknown. */
async function lookUp(ask, root, name) {
  const { stdout } = await ask(
    ['view', name, 'repository.url', 'version', '--json', '--fetch-retries=0'],
    { cwd: root },
  );
  let answer;
  try {
    answer = JSON.parse(stdout);
  } catch {
    return { name, state: 'unknown' };
  }
  if (answer.error) return { name, state: answer.error.code === 'E404' ? 'free' : 'unknown' };
  const ours = readManifest(root, '.').repository?.url ?? '';
  const isOurs = isSameRepository(answer['repository.url'] ?? '', ours);
  return { name, state: isOurs ? 'ours' : 'taken', version: answer.version };
}

async function checkNames({ root, packages, ask }) {
  const found = await Promise.all(packages.map(({ name }) => lookUp(ask, root, name)));
  const namesOf = (state) => found.filter((one) => one.state === state).map(({ name }) => name);
  const findings = found
    .filter(({ state }) => state === 'taken')
    .map(({ name, version }) =>
      missing(
        `The registry has ${name} ${version}, of another repository.`,
        'Ask its owner for the name, or choose another: change "name" in package.json, and the imports.',
      ),
    );
  const [free, ours, unclear] = ['free', 'ours', 'unknown'].map(namesOf);
  if (unclear.length > 0) {
    findings.push(
      unknown(
        `The registry gave no answer, so this check cannot know if these names are free: ${list(unclear)}.`,
        'Run it again with a network.',
      ),
    );
  }
  if (free.length > 0) findings.push(known(`Free in the registry: ${list(free)}.`));
  if (ours.length > 0) findings.push(known(`In the registry, of this repository: ${list(ours)}.`));
  return findings;
}

async function checkWithPublint({ root, node }, { name, tarball }) {
  const publint = join(root, 'node_modules', 'publint', 'src', 'cli.js');
  const { status, stdout, stderr } = await node([publint, 'run', tarball, '--strict']);
  const words = `${stdout}${stderr}`.trim().split('\n').slice(1).join('\n').trim();
  return status === 0
    ? known(`publint finds no problem in ${name}.`)
    : missing(`publint finds problems in ${name}.`, words);
}

/** The kinds of problems in the JSON that attw prints. */
const kindsIn = (stdout) => Object.keys(JSON.parse(stdout).problems ?? {});

async function checkWithAttw({ ask }, { name, tarball }, folder) {
  const { status, stdout } = await ask(
    [
      'exec',
      '--yes',
      `--package=${ATTW}`,
      '--fetch-retries=0',
      '--',
      'attw',
      tarball,
      '--format',
      'json',
    ],
    { cwd: folder, minutes: ATTW_MINUTES },
  );
  const command = `npx ${ATTW} TARBALL`;
  try {
    const kinds = kindsIn(stdout);
    return status === 0
      ? known(`attw finds no problem in ${name}.`)
      : missing(
          `attw finds problems in the types of ${name}: ${kinds.join(', ')}.`,
          `Run \`npm run tarballs -- FOLDER\`, and \`${command}\`, which explains them.`,
        );
  } catch {
    return unknown(
      `attw did not run, so this check cannot know if the types of ${name} and of later packages are right.`,
      `\`${command}\` comes from the registry. Run the check again with a network.`,
    );
  }
}

async function checkTarballs(context) {
  return await inTemporaryFolder(async (folder) => {
    let packed;
    try {
      packed = await pack(await stage(context.root, context.packages, folder), folder);
    } catch (error) {
      return [missing('The packages cannot be packed.', error.message)];
    }
    const findings = [];
    for (const one of packed) findings.push(await checkWithPublint(context, one));
    for (const one of packed) {
      const finding = await checkWithAttw(context, one, folder);
      findings.push(finding);
      if (finding.kind === 'unknown') break;
    }
    return findings;
  });
}

const CHECKS = [
  checkAddress,
  checkVersions,
  checkChangelog,
  checkGit,
  checkLicences,
  checkProvenance,
  checkDocuments,
  checkNames,
  checkTarballs,
];

/** @param ask runs npm; the tests have one that answers from a list */
async function findingsOf({ root, packages, ask = npm, checks = CHECKS }) {
  const context = {
    root,
    packages,
    ask,
    git: (parameters) => run('git', parameters, { cwd: root }),
    node: (parameters) => run(process.execPath, parameters, { cwd: root }),
  };
  const findings = [];
  for (const check of checks) findings.push(...(await check(context)));
  return findings;
}

/** The text of the findings, those first that need work. */
function report(findings) {
  const part = (title, kind) => {
    const some = findings.filter((finding) => finding.kind === kind);
    const lines = some.map(({ sentence, remedy }) =>
      [`- ${sentence}`, ...(remedy === undefined ? [] : remedy.split('\n'))].join('\n    '),
    );
    return some.length > 0 ? [`${title}\n\n${lines.join('\n')}\n`] : [];
  };
  const count = findings.filter(({ kind }) => kind !== 'known').length;
  return [
    ...part('In order', 'known'),
    ...part('Missing', 'missing'),
    ...part('Not known', 'unknown'),
    count === 0
      ? 'The release can be published.'
      : `${count} ${count === 1 ? 'point keeps' : 'points keep'} the release from being published.`,
  ].join('\n');
}

module.exports = {
  checkAddress,
  checkChangelog,
  checkDocuments,
  checkGit,
  checkLicences,
  checkNames,
  checkProvenance,
  checkTarballs,
  checkVersions,
  checkWithAttw,
  findingsOf,
  report,
};

if (require.main === module) {
  const { ROOT, PACKAGES } = require('./packages');
  findingsOf({ root: ROOT, packages: PACKAGES })
    .then((findings) => {
      console.log(report(findings));
      process.exitCode = findings.some(({ kind }) => kind !== 'known') ? 1 : 0;
    })
    .catch((error) => {
      console.error(error);
      process.exitCode = 1;
    });
}
