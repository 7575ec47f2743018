/** Package managers, also those that hide the packages that an application has not asked for. */
import { join } from 'node:path';
import type { Cell } from '../cell';
import { COMMONJS, ES_MODULES } from '../sources';
import { APPLICATION, expectLogins, expectSuccess } from '../workbench';
import type { Project, Workbench } from '../workbench';

const GROUP = 'Package managers';
const INSTALL_LIMIT_MINUTES = 5;

const UNPUBLISHED =
  'until the packages are published, an override has to lead from `crm-oauth2` to its tarball';

/** A package.json with the tarballs, and what else the application needs. */
function manifest(bench: Workbench, overridesKey?: string): Record<string, unknown> {
  const tarballs = Object.fromEntries(
    bench.packed.map(({ name, tarball }) => [name, `file:${tarball}`]),
  );
  const others = Object.fromEntries(
    APPLICATION.map((specifier) => specifier.split('@') as [string, string]),
  );
  return {
    name: 'application',
    dependencies: { ...tarballs, ...others },
    ...(overridesKey !== undefined && { [overridesKey]: { 'crm-oauth2': tarballs['crm-oauth2'] } }),
  };
}

function application(bench: Workbench, overridesKey?: string): Project {
  const project = bench.emptyProject(manifest(bench, overridesKey));
  project.writePrograms(COMMONJS);
  project.writePrograms(ES_MODULES);
  return project;
}

const steps = (project: Project, launch: readonly string[]) =>
  Object.fromEntries(
    [
      ['CommonJS', 'main.cjs'],
      ['ES modules', 'main.mjs'],
    ].map(([step = '', main = '']) => [
      step,
      async () => expectLogins(await project.node([...launch, main]), project.folder),
    ]),
  );

/** Reads the version that a program prints. */
const versionIn = ({ stdout }: { stdout: string }) => stdout.trim();

const npm: Cell = {
  id: 'npm',
  group: GROUP,
  title: 'npm',
  remark: 'it installs the projects of all other rows too',
  async prepare(bench) {
    const project = application(bench);
    await project.install([]);
    return {
      version: versionIn(await project.run('npm', ['--version'])),
      steps: steps(project, []),
    };
  },
};

const pnpm: Cell = {
  id: 'pnpm',
  group: GROUP,
  title: 'pnpm, strict',
  remark: `with \`hoist: false\`; ${UNPUBLISHED}`,
  async prepare(bench) {
    const tool = await bench.tool('pnpm');
    const project = application(bench);
    const tarball = bench.packed.find(({ name }) => name === 'crm-oauth2')?.tarball ?? '';
    project.write({
      'pnpm-workspace.yaml': [
        'hoist: false',
        `storeDir: ${join(bench.folder, 'pnpm-store')}`,
        'overrides:',
        `  crm-oauth2: "file:${tarball}"`,
        '',
      ].join('\n'),
    });
    const program = tool.installed('.bin/pnpm');
    const install = ['install', '--prefer-offline', '--ignore-scripts', '--no-frozen-lockfile'];
    const limits = { minutes: INSTALL_LIMIT_MINUTES };
    return {
      version: tool.versionOf('pnpm'),
      steps: {
        'pnpm install': async () => {
          expectSuccess(await project.run(program, install, limits), project.folder);
        },
        ...steps(project, []),
      },
    };
  },
};

const yarn: Cell = {
  id: 'yarn',
  group: GROUP,
  title: "Yarn, Plug'n'Play",
  remark: UNPUBLISHED,
  async prepare(bench) {
    const tool = await bench.tool('@yarnpkg/cli-dist');
    const project = application(bench, 'resolutions');
    const registry = versionIn(await project.run('npm', ['config', 'get', 'registry']));
    project.write({
      'yarn.lock': '',
      '.yarnrc.yml': [
        'nodeLinker: pnp',
        'enableTelemetry: false',
        'enableScripts: false',
        'enableImmutableInstalls: false',
        'enableGlobalCache: false',
        `globalFolder: ${JSON.stringify(join(bench.folder, 'yarn'))}`,
        `npmRegistryServer: ${JSON.stringify(registry)}`,
        '',
      ].join('\n'),
    });
    const program = tool.installed('@yarnpkg/cli-dist/bin/yarn.js');
    const limits = { minutes: INSTALL_LIMIT_MINUTES };
    return {
      version: tool.versionOf('@yarnpkg/cli-dist'),
      steps: {
        'yarn install': async () => {
          expectSuccess(await project.node([program, 'install'], limits), project.folder);
        },
        ...steps(project, [program, 'node']),
      },
    };
  },
};

export const PACKAGE_MANAGERS: readonly Cell[] = [npm, pnpm, yarn];
