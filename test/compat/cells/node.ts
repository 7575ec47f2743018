/** Node, and other runtimes of the packages: the program as it is, without a compiler. */
import { join } from 'node:path';
import type { Cell } from '../cell';
import { COMMONJS, ES_MODULES } from '../sources';
import type { Form } from '../sources';
import { expectLogins } from '../workbench';
import type { Project, Workbench } from '../workbench';

const TYPES_STRIPPED: Form = { language: 'ts', modules: 'esm', ending: '.mts' };

const COMPILED = { CommonJS: COMMONJS, 'ES modules': ES_MODULES };
const STEPS: Readonly<Record<string, Form>> = {
  ...COMPILED,
  'TypeScript without a compiler': TYPES_STRIPPED,
};

/** A project with the programs in each form that a runtime reads. */
async function application(bench: Workbench): Promise<Project> {
  const project = await bench.project([]);
  for (const form of Object.values(STEPS)) project.writePrograms(form);
  return project;
}

/** A step for each form. */
const steps = (
  project: Project,
  file: string,
  parameters: readonly string[] = [],
  { env = {}, forms = STEPS }: { env?: Record<string, string>; forms?: typeof STEPS } = {},
) =>
  Object.fromEntries(
    Object.entries(forms).map(([name, { ending }]) => [
      name,
      async () => {
        const finished = await project.run(file, [...parameters, `main${ending}`], { env });
        expectLogins(finished, project.folder);
      },
    ]),
  );

function node(major: string, remark?: string): Cell {
  return {
    id: `node-${major}`,
    group: 'Runtimes',
    title: `Node ${major}`,
    ...(remark !== undefined && { remark }),
    async prepare(bench) {
      const file = await bench.node(major);
      const version = (await bench.tool(`node@${major}`)).versionOf('node');
      const forms = major === '20' ? COMPILED : STEPS;
      return { version, steps: steps(await application(bench), file, [], { forms }) };
    },
  };
}

const bun: Cell = {
  id: 'bun',
  group: 'Runtimes',
  title: 'Bun',
  async prepare(bench) {
    const tool = await bench.tool('bun');
    const file = tool.installed('bun/bin/bun.exe');
    return { version: tool.versionOf('bun'), steps: steps(await application(bench), file) };
  },
};

const deno: Cell = {
  id: 'deno',
  group: 'Runtimes',
  title: 'Deno',
  async prepare(bench) {
    const tool = await bench.tool('deno');
    const parameters = ['run', '--allow-all', '--node-modules-dir=manual'];
    const env = { DENO_DIR: join(bench.folder, 'deno') };
    const project = await application(bench);
    return {
      version: tool.versionOf('deno'),
      steps: steps(project, tool.installed('.bin/deno'), parameters, { env }),
    };
  },
};

export const RUNTIMES: readonly Cell[] = [
  node('20', 'from 20.19 on; Node 20 has received no fixes since April 2026'),
  node('22', 'from 22.12 on'),
  node('24'),
  node('26'),
  bun,
  deno,
];
