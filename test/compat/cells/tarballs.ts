/** The judgement of publint and attw on each tarball. */
import { join } from 'node:path';
import { readFileSync } from 'node:fs';
import { ROOT } from '../../support/packages';
import type { Cell } from '../cell';
import { run } from '../process';
import { expectSuccess } from '../workbench';
import type { Workbench } from '../workbench';

const GROUP = 'Checks of the tarballs';

/** A step for each package. */
const forEach = (bench: Workbench, program: string, before: string[], after: string[]) =>
  Object.fromEntries(
    bench.packed.map(({ name, tarball }) => [
      `\`${name}\``,
      async () => {
        const parameters = [program, ...before, tarball, ...after];
        expectSuccess(await run(process.execPath, parameters, { cwd: bench.folder }), bench.folder);
      },
    ]),
  );

const publint: Cell = {
  id: 'publint',
  group: GROUP,
  title: 'publint',
  prepare(bench) {
    const home = join(ROOT, 'node_modules', 'publint');
    const manifest = readFileSync(join(home, 'package.json'), 'utf8');
    const { version } = JSON.parse(manifest) as { version: string };
    const program = join(home, 'src', 'cli.js');
    return Promise.resolve({
      version,
      steps: forEach(bench, program, ['run'], ['--strict']),
    });
  },
};

const attw: Cell = {
  id: 'attw',
  group: GROUP,
  title: 'attw',
  remark: '[Are the types wrong?](https://github.com/arethetypeswrong/arethetypeswrong.github.io)',
  async prepare(bench) {
    const project = bench.emptyProject();
    await project.install(['@arethetypeswrong/cli']);
    const program = project.installed('@arethetypeswrong/cli/dist/index.js');
    return {
      version: project.versionOf('@arethetypeswrong/cli'),
      steps: forEach(bench, program, [], ['--no-color']),
    };
  },
};

export const TARBALLS: readonly Cell[] = [publint, attw];
