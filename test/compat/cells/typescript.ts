/** TypeScript: each compiler in each module form, strict and with all declarations checked; the output logs in. */
import type { Cell } from '../cell';
import { programs } from '../sources';
import type { Form } from '../sources';
import { expectLogins, expectSuccess } from '../workbench';
import type { Project } from '../workbench';

interface ModuleForm {
  options: Readonly<Record<string, unknown>>;
  /** Of package.json. */
  type: 'commonjs' | 'module';
  /** The programs, once for each kind of module. */
  sources: readonly Form[];
}

const ANY: Form = { language: 'ts', modules: 'esm', ending: '.ts', importEnding: '.js' };
const BOTH: readonly Form[] = [
  { language: 'ts', modules: 'commonjs', ending: '.cts', importEnding: '.cjs' },
  { language: 'ts', modules: 'esm', ending: '.mts', importEnding: '.mjs' },
];

const FORMS: Readonly<Record<string, ModuleForm>> = {
  commonjs: {
    options: { module: 'commonjs', esModuleInterop: true },
    type: 'commonjs',
    sources: [ANY],
  },
  node16: { options: { module: 'node16' }, type: 'commonjs', sources: BOTH },
  nodenext: { options: { module: 'nodenext' }, type: 'commonjs', sources: BOTH },
  preserve: { options: { module: 'preserve' }, type: 'module', sources: [ANY] },
  'esnext with bundler': {
    options: { module: 'esnext', moduleResolution: 'bundler' },
    type: 'module',
    sources: [ANY],
  },
  exactOptionalPropertyTypes: {
    options: { module: 'nodenext', exactOptionalPropertyTypes: true },
    type: 'module',
    sources: [ANY],
  },
};

const COMPILE_LIMIT_MINUTES = 10;

async function compileAndRun(project: Project, form: ModuleForm, folder: string): Promise<void> {
  const compilerOptions = {
    target: 'es2022',
    lib: ['es2022'],
    strict: true,
    skipLibCheck: false,
    types: ['node'],
    rootDir: '.',
    outDir: 'out',
    ...form.options,
  };
  const files = form.sources.flatMap(({ ending }) => [`main${ending}`, `doors${ending}`]);
  const texts = Object.assign(
    {
      'package.json': JSON.stringify({ type: form.type }),
      'tsconfig.json': JSON.stringify({ compilerOptions, files }),
    },
    ...form.sources.map(programs),
  ) as Record<string, string>;
  project.write(
    Object.fromEntries(Object.entries(texts).map(([name, text]) => [`${folder}/${name}`, text])),
  );
  const compiler = project.installed('typescript/bin/tsc');
  const limits = { minutes: COMPILE_LIMIT_MINUTES };
  expectSuccess(await project.node([compiler, '-p', folder], limits), project.folder);
  for (const { importEnding = '' } of form.sources) {
    expectLogins(await project.node([`${folder}/out/main${importEnding}`]), project.folder);
  }
}

/** The types that an application has. */
const TYPES = ['@types/node@20', '@types/express@5', '@types/passport@1'];

const cell = (version: string): Cell => ({
  id: `typescript-${version}`,
  group: 'TypeScript',
  title: `TypeScript ${version}`,
  async prepare(bench) {
    const project = await bench.project([`typescript@${version}`, ...TYPES]);
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

export const COMPILERS: readonly Cell[] = ['5.4', '5.9', '6.0', '7.0'].map(cell);
