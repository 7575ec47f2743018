/** Bundlers: the application becomes one file, which logs in where no package of the application is installed. */
import { copyFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Cell } from '../cell';
import { ES_MODULES } from '../sources';
import { StepFailed, expectLogins, expectSuccess } from '../workbench';
import type { Project, Workbench } from '../workbench';

/** An ES module has no `require`, which the CommonJS packages in the bundle call for modules of Node. */
const REQUIRE =
  "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);";

const ROLLUP = `import commonjs from '@rollup/plugin-commonjs';
import json from '@rollup/plugin-json';
import resolve from '@rollup/plugin-node-resolve';
export default {
  input: 'main.mjs',
  external: ['crm-emulator'],
  plugins: [resolve({ preferBuiltins: true }), commonjs(), json()],
};
`;
const WEBPACK = `const { resolve } = require('node:path');
require('webpack')(
  {
    mode: 'production',
    target: 'node20',
    entry: './main.mjs',
    externals: { 'crm-emulator': 'commonjs crm-emulator' },
    output: { path: resolve(process.argv[2]), filename: 'login.cjs' },
  },
  (error, stats) => {
    if (error || stats.hasErrors()) {
      console.error(String(error ?? stats.toString('errors-only')));
      process.exitCode = 1;
    }
  },
);
`;
const VITE = `export default {
  build: { ssr: 'main.mjs', target: 'node20' },
  ssr: { noExternal: true, external: ['crm-emulator'] },
};
`;

/** Runs the bundler, and then its only file in the project of the emulator. */
async function bundleAndRun(bench: Workbench, project: Project, parameters: readonly string[]) {
  const [program = '', ...rest] = parameters;
  const out = rest.join(' ').match(/\bout-\w+/)?.[0] ?? '';
  expectSuccess(await project.node([project.installed(program), ...rest]), project.folder);
  const files = readdirSync(join(project.folder, out)).filter((name) => /\.[cm]?js$/.test(name));
  const [file = ''] = files;
  if (files.length !== 1) throw new StepFailed(`The bundle has several files: ${files.join(', ')}`);
  const provider = await bench.providerProject();
  const copy = `${project.folder.split(/[\\/]/).at(-1)}-${out}-${file}`;
  copyFileSync(join(project.folder, out, file), join(provider.folder, copy));
  expectLogins(await provider.node([copy]), provider.folder);
}

interface Bundler {
  name: string;
  specifiers?: readonly string[];
  remark?: string;
  files?: Readonly<Record<string, string>>;
  /** By step: the program of the bundler, and its parameters. */
  steps: Readonly<Record<string, readonly string[]>>;
}

const BUNDLERS: readonly Bundler[] = [
  {
    name: 'esbuild',
    remark: 'an ES module needs a banner that defines `require`, as for Express',
    steps: {
      'to CommonJS': [
        'esbuild/bin/esbuild',
        'main.mjs',
        '--bundle',
        '--platform=node',
        '--external:crm-emulator',
        '--outfile=out-cjs/login.cjs',
      ],
      'to an ES module': [
        'esbuild/bin/esbuild',
        'main.mjs',
        '--bundle',
        '--platform=node',
        '--format=esm',
        `--banner:js=${REQUIRE}`,
        '--external:crm-emulator',
        '--outfile=out-esm/login.mjs',
      ],
    },
  },
  {
    name: 'rollup',
    specifiers: ['@rollup/plugin-commonjs', '@rollup/plugin-json', '@rollup/plugin-node-resolve'],
    remark: 'with its plugins commonjs, json and node-resolve',
    files: { 'rollup.config.mjs': ROLLUP },
    steps: {
      'to CommonJS': ['rollup/dist/bin/rollup', '-c', '-f', 'cjs', '-o', 'out-cjs/login.cjs'],
      'to an ES module': ['rollup/dist/bin/rollup', '-c', '-f', 'es', '-o', 'out-esm/login.mjs'],
    },
  },
  {
    name: 'rolldown',
    steps: {
      'to CommonJS': [
        'rolldown/bin/cli.mjs',
        'main.mjs',
        '--platform=node',
        '--external=crm-emulator',
        '--format=cjs',
        '--file=out-cjs/login.cjs',
      ],
      'to an ES module': [
        'rolldown/bin/cli.mjs',
        'main.mjs',
        '--platform=node',
        '--external=crm-emulator',
        '--format=esm',
        '--file=out-esm/login.mjs',
      ],
    },
  },
  {
    name: 'webpack',
    files: { 'node_modules/.webpack.cjs': WEBPACK },
    steps: { 'to CommonJS': ['.webpack.cjs', 'out-cjs'] },
  },
  {
    name: 'vite',
    remark: '`vite build --ssr` with `ssr.noExternal`',
    files: { 'vite.config.mjs': VITE },
    steps: { 'to an ES module': ['vite/bin/vite.js', 'build', '--outDir', 'out-esm'] },
  },
];

export const BUNDLER_CELLS: readonly Cell[] = BUNDLERS.map(
  ({ name, specifiers = [], remark, files = {}, steps }) => ({
    id: name,
    group: 'Bundlers',
    title: name,
    ...(remark !== undefined && { remark }),
    async prepare(bench) {
      const project = await bench.project([`${name}@latest`, ...specifiers]);
      project.writePrograms(ES_MODULES);
      project.write(files);
      return {
        version: project.versionOf(name),
        steps: Object.fromEntries(
          Object.entries(steps).map(([step, parameters]) => [
            step,
            async () => await bundleAndRun(bench, project, parameters),
          ]),
        ),
      };
    },
  }),
);
