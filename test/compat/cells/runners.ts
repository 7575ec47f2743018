/** Test runners, and loaders of TypeScript. */
import type { Cell, Tried } from '../cell';
import { COMMONJS, ES_MODULES, LOGGED_IN } from '../sources';
import type { Form } from '../sources';
import { StepFailed, expectLogins, expectSuccess } from '../workbench';
import type { Project } from '../workbench';

const GROUP = 'Test runners and loaders';
/** A login takes a second; a busy machine takes more. */
const TEST_LIMIT_MS = 120_000;

const COMMONJS_TEST = (globals: string) => `${globals}
const { deepEqual } = require('node:assert').strict;
const { logInEverywhere } = require('./login.cjs');
test('logs in', async () => deepEqual(await logInEverywhere(), ${LOGGED_IN}));
`;
const ES_MODULES_TEST = (globals: string) => `${globals}
import { strict } from 'node:assert';
import { logInEverywhere } from './login.mjs';
test('logs in', async () => strict.deepEqual(await logInEverywhere(), ${LOGGED_IN}));
`;

/** Fails unless the output of the runner counts the test. */
async function expectPassed(
  project: Project,
  parameters: string[],
  passed: RegExp,
  file = process.execPath,
): Promise<void> {
  const finished = expectSuccess(await project.run(file, parameters), project.folder);
  if (!passed.test(finished.output)) throw new StepFailed('The runner found no test.');
}

const jest: Cell = {
  id: 'jest',
  group: GROUP,
  title: 'Jest 30',
  remark: 'without `--experimental-vm-modules`, and without a configuration',
  async prepare(bench) {
    const project = await bench.project(['jest@30']);
    project.writePrograms(COMMONJS);
    project.write({ 'login.test.js': COMMONJS_TEST('') });
    const parameters = [
      project.installed('jest/bin/jest.js'),
      '--ci',
      `--testTimeout=${TEST_LIMIT_MS}`,
    ];
    return {
      version: project.versionOf('jest'),
      steps: {
        CommonJS: async () => await expectPassed(project, parameters, /Tests: +1 passed, 1 total/),
      },
    };
  },
};

const vitest = (major: string, node?: string): Cell => ({
  id: `vitest-${major}`,
  group: GROUP,
  title: `Vitest ${major}`,
  ...(node !== undefined && { remark: `with Node ${node}, which it requires` }),
  async prepare(bench) {
    const project = await bench.project([`vitest@${major}`]);
    project.writePrograms(ES_MODULES);
    project.write({ 'login.test.mjs': ES_MODULES_TEST("import { test } from 'vitest';") });
    const file = node === undefined ? process.execPath : await bench.node(node);
    const parameters = [
      project.installed('vitest/vitest.mjs'),
      'run',
      'login.test.mjs',
      `--testTimeout=${TEST_LIMIT_MS}`,
    ];
    return {
      version: project.versionOf('vitest'),
      steps: {
        'ES modules': async () =>
          await expectPassed(project, parameters, /Tests +1 passed \(1\)/, file),
      },
    };
  },
});

const mocha: Cell = {
  id: 'mocha',
  group: GROUP,
  title: 'mocha',
  async prepare(bench) {
    const project = await bench.project(['mocha@12']);
    for (const form of [COMMONJS, ES_MODULES]) project.writePrograms(form);
    project.write({ 'login.cjs.test.cjs': COMMONJS_TEST('const test = it;') });
    project.write({ 'login.mjs.test.mjs': ES_MODULES_TEST('const test = it;') });
    const program = project.installed('mocha/bin/mocha.js');
    const step = (file: string) => async () =>
      await expectPassed(project, [program, `--timeout=${TEST_LIMIT_MS}`, file], /1 passing/);
    return {
      version: project.versionOf('mocha'),
      steps: { CommonJS: step('login.cjs.test.cjs'), 'ES modules': step('login.mjs.test.mjs') },
    };
  },
};

const nodeTest: Cell = {
  id: 'node-test',
  group: GROUP,
  title: 'node:test',
  async prepare(bench) {
    const project = await bench.project([]);
    for (const form of [COMMONJS, ES_MODULES]) project.writePrograms(form);
    project.write({
      'one.test.cjs': COMMONJS_TEST("const test = require('node:test');"),
      'two.test.mjs': ES_MODULES_TEST("import test from 'node:test';"),
    });
    const step = (file: string) => async () =>
      await expectPassed(project, ['--test', file], /pass 1\b/);
    return {
      version: `Node ${process.versions.node}`,
      steps: { CommonJS: step('one.test.cjs'), 'ES modules': step('two.test.mjs') },
    };
  },
};

/** A program that runs a TypeScript file. */
function loader(
  name: string,
  more: readonly string[],
  forms: Record<string, Form>,
  remark?: string,
): Cell {
  return {
    id: name,
    group: GROUP,
    title: name,
    ...(remark !== undefined && { remark }),
    async prepare(bench): Promise<Tried> {
      const project = await bench.project([`${name}@latest`, ...more]);
      const compilerOptions = { module: 'commonjs', target: 'es2022', esModuleInterop: true };
      project.write({ 'tsconfig.json': JSON.stringify({ compilerOptions }) });
      const steps = Object.entries(forms).map(([step, form]) => [
        step,
        async () => {
          project.writePrograms(form);
          const finished = await project.run(project.installed(`.bin/${name}`), [
            `main${form.ending}`,
          ]);
          expectLogins(finished, project.folder);
        },
      ]);
      return {
        version: project.versionOf(name),
        steps: Object.fromEntries(steps) as Tried['steps'],
      };
    },
  };
}

export const RUNNERS: readonly Cell[] = [
  jest,
  vitest('4'),
  vitest('5', '22'),
  mocha,
  nodeTest,
  loader(
    'tsx',
    [],
    {
      CommonJS: { language: 'ts', modules: 'commonjs', ending: '.ts', importEnding: '' },
      'ES modules': { language: 'ts', modules: 'esm', ending: '.mts' },
    },
    'a `.cts` file fails with Node 20: a dependency of Express cannot require its JSON file there',
  ),
  loader('ts-node', ['typescript@5.9', '@types/node@20', '@types/express@5', '@types/passport@1'], {
    CommonJS: { language: 'ts', modules: 'commonjs', ending: '.ts', importEnding: '' },
  }),
];
