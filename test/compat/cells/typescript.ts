/** TypeScript: each compiler in each module form, strict and with all declarations checked; the output logs in. */
import type { Cell } from '../cell';
import { programs } from '../sources';
import { expectLogins, expectSuccess } from '../workbench';
import type { Project } from '../workbench';

interface ModuleForm {
  options: Readonly<Record<string, unknown>>;
  /** Of package.json. */
  type: 'commonjs' | 'module';
}

const FORMS: Readonly<Record<string, ModuleForm>> = {
  commonjs: { options: { module: 'commonjs', esModuleInterop: true }, type: 'commonjs' },
  'node16 CommonJS': { options: { module: 'node16' }, type: 'commonjs' },
  'node16 ES modules': { options: { module: 'node16' }, type: 'module' },
  'nodenext CommonJS': { options: { module: 'nodenext' }, type: 'commonjs' },
  'nodenext ES modules': { options: { module: 'nodenext' }, type: 'module' },
  preserve: { options: { module: 'preserve' }, type: 'module' },
  'esnext with bundler': {
    options: { module: 'esnext', moduleResolution: 'bundler' },
    type: 'module',
  },
  exactOptionalPropertyTypes: {
    options: { module: 'nodenext', exactOptionalPropertyTypes: true },
    type: 'module',
  },
};

async function compileAndRun(project: Project, { options, type }: ModuleForm, folder: string) {
  const compilerOptions = {
    target: 'es2022',
    strict: true,
    skipLibCheck: false,
    types: ['node'],
    rootDir: '.',
    outDir: 'out',
    ...options,
  };
  const files = {
    'package.json': JSON.stringify({ type }),
    'tsconfig.json': JSON.stringify({ compilerOptions, files: ['main.ts', 'doors.ts'] }),
    ...programs({ language: 'ts', modules: 'esm', ending: '.ts', importEnding: '.js' }),
  };
  project.write(
    Object.fromEntries(Object.entries(files).map(([name, text]) => [`${folder}/${name}`, text])),
  );
  const compiler = project.installed('typescript/bin/tsc');
  expectSuccess(await project.node([compiler, '-p', folder]), project.folder);
  expectLogins(await project.node([`${folder}/out/main.js`]), project.folder);
}

const cell = (version: string, types: readonly string[], remark?: string): Cell => ({
  id: `typescript-${version}`,
  group: 'TypeScript',
  title: `TypeScript ${version}`,
  ...(remark !== undefined && { remark }),
  async prepare(bench) {
    const project = await bench.project([`typescript@${version}`, ...types]);
    const steps = Object.entries(FORMS).map(([name, form], index) => [
      name,
      async () => await compileAndRun(project, form, `form-${index}`),
    ]);
    return {
      version: project.versionOf('typescript'),
      steps: Object.fromEntries(steps) as Record<string, () => Promise<void>>,
    };
  },
});

/** The types that an application has. */
const TYPES = ['@types/node@20', '@types/express@5', '@types/passport@1'];

export const COMPILERS: readonly Cell[] = ['5.4', '5.9', '6.0', '7.0'].map((version) =>
  cell(version, TYPES),
);
