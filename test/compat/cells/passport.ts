/** Passport and Express, in the versions that applications have. */
import type { Cell } from '../cell';
import { COMMONJS, ES_MODULES } from '../sources';
import { expectLogins } from '../workbench';

const cell = (passport: string, express: string): Cell => ({
  id: `passport-${passport}-express-${express}`,
  group: 'Passport and Express',
  title: `Passport ${passport}, Express ${express}`,
  async prepare(bench) {
    const application = [`passport@${passport}`, `express@${express}`];
    const project = await bench.project([], { application });
    const login = (main: string) => async () =>
      expectLogins(await project.node([main]), project.folder);
    project.writePrograms(COMMONJS);
    project.writePrograms(ES_MODULES);
    return {
      version: `${project.versionOf('passport')}, ${project.versionOf('express')}`,
      steps: { CommonJS: login('main.cjs'), 'ES modules': login('main.mjs') },
    };
  },
});

export const PASSPORT: readonly Cell[] = ['0.6', '0.7'].flatMap((passport) =>
  ['4', '5'].map((express) => cell(passport, express)),
);
