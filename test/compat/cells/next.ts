/** Next: the route handler of examples/frameworks is built and served, and a browser logs in with Salesforce. */
import { readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { setTimeout as wait } from 'node:timers/promises';
import { join } from 'node:path';
import { Browser } from '../../support/browser';
import { freePorts } from '../../support/free-ports';
import { ROOT } from '../../support/packages';
import type { Cell } from '../cell';
import { end, start } from '../process';
import { StepFailed, expectSuccess } from '../workbench';
import type { Project, Workbench } from '../workbench';

const ROUTE = 'app/[[...path]]/route.js';
const BUILD_LIMIT_MINUTES = 5;
const START_ATTEMPTS = 120;
const ATTEMPT_MS = 500;
const PERSON = 'Zoë Ångström';

interface Emulator {
  salesforce: { options: { clientID: string; clientSecret: string; loginURL: string } };
  close(): Promise<void>;
}

/** The packed emulator, in this process. */
async function startEmulator(bench: Workbench): Promise<Emulator> {
  const { folder } = await bench.providerProject();
  const packed = createRequire(join(folder, 'package.json'))('crm-emulator') as {
    startEmulator(): Promise<Emulator>;
  };
  return await packed.startEmulator();
}

async function answers(origin: string, hasEnded: () => boolean): Promise<void> {
  for (let attempt = 0; attempt < START_ATTEMPTS; attempt++) {
    if (hasEnded()) throw new StepFailed('next start has ended.');
    const response = await fetch(origin).catch(() => undefined);
    await response?.arrayBuffer();
    if (response?.ok) return;
    await wait(ATTEMPT_MS);
  }
  throw new StepFailed('next start does not answer.');
}

async function buildAndLogIn(bench: Workbench, project: Project, bundler: string): Promise<void> {
  const emulator = await startEmulator(bench);
  const origin = `http://localhost:${await freePorts()}`;
  const { clientID, clientSecret, loginURL } = emulator.salesforce.options;
  const env = {
    BASE_URL: origin,
    SESSION_SECRET: 's'.repeat(32),
    SALESFORCE_CLIENT_ID: clientID,
    SALESFORCE_CLIENT_SECRET: clientSecret,
    SALESFORCE_LOGIN_URL: loginURL,
  };
  const next = project.installed('next/dist/bin/next');
  try {
    rmSync(join(project.folder, '.next'), { recursive: true, force: true });
    const limits = { env, minutes: BUILD_LIMIT_MINUTES };
    expectSuccess(await project.node([next, 'build', bundler], limits), project.folder);
    const { port } = new URL(origin);
    const parameters = [next, 'start', '--port', port, '--hostname', 'localhost'];
    const child = start(process.execPath, parameters, { cwd: project.folder, env });
    // Without a reader, the process would wait for one.
    child.stdout?.resume();
    child.stderr?.resume();
    try {
      await answers(origin, () => child.exitCode !== null);
      const browser = new Browser();
      const started = await browser.visit(`${origin}/auth/salesforce`);
      const location = started.headers.get('location') ?? '';
      const { response } = await browser.follow(await new Browser().signIn(location, PERSON));
      const page = (await response?.text()) ?? '';
      if (!page.includes(`Signed in as ${PERSON}.`)) throw new StepFailed('There is no login.');
    } finally {
      await end(child);
    }
  } finally {
    await emulator.close();
  }
}

export const NEXT: Cell = {
  id: 'next',
  group: 'Bundlers',
  title: 'Next 16',
  remark:
    'not one file: the route handler of [Frameworks](frameworks.md), by `next build` and `next start`; the variables of the strategy are needed while it builds too',
  async prepare(bench) {
    const specifiers = ['next@16', 'react@19', 'react-dom@19', 'iron-session@8'];
    const project = await bench.project(specifiers, {
      application: [],
      manifest: { type: 'module' },
    });
    const route = readFileSync(join(ROOT, 'examples', 'frameworks', 'next', ROUTE), 'utf8');
    project.write({ [ROUTE]: route });
    return {
      version: project.versionOf('next'),
      steps: {
        Turbopack: async () => await buildAndLogIn(bench, project, '--turbopack'),
        webpack: async () => await buildAndLogIn(bench, project, '--webpack'),
      },
    };
  },
};
