/** Runs whole logins in a process in which Node throws at the first deprecated call. */
import { fork } from 'node:child_process';
import { expect } from 'chai';
import { startEmulator } from 'crm-emulator';
import type { Emulator } from 'crm-emulator';
import { CookieStateStore } from 'crm-oauth2/passport';
import SalesforceStrategy from 'passport-salesforce-oauth2';
import SalesloftStrategy from 'passport-salesloft';
import SalesosStrategy from 'passport-salesos';
import { Browser } from './support/browser';
import { startApp } from './support/express-app';
import { expectVerb, requestFor, run } from './support/passport-run';

const ORIGIN = 'http://127.0.0.1:3000';
const WHO = 'Marta Quill';

type Options = Record<'salesloft' | 'salesos' | 'salesforce', { clientID: string }>;

function strategies(
  emulated: Options,
  settings: { callbackURL: string; store?: CookieStateStore },
) {
  const verify = ({ profile }: { profile: { provider: string } }) => ({ of: profile.provider });
  return {
    salesloft: new SalesloftStrategy({ ...emulated.salesloft, ...settings, verify }),
    salesos: new SalesosStrategy({ ...emulated.salesos, ...settings, verify }),
    salesforce: new SalesforceStrategy({ ...emulated.salesforce, ...settings, verify }),
  };
}

/** The work of the child: logins by each strategy alone with a session, and in Express with cookies. */
async function logins(emulated: Options): Promise<string[]> {
  const done: string[] = [];
  for (const [name, strategy] of Object.entries(
    strategies(emulated, { callbackURL: `${ORIGIN}/auth/callback` }),
  )) {
    const session = {};
    const begun = await run(strategy, requestFor(`${ORIGIN}/auth`, session));
    const callback = await new Browser().signIn(expectVerb(begun, 'redirect').url, WHO);
    const outcome = await run(strategy, requestFor(callback, session));
    expectVerb(outcome, 'success');
    strategy.client.close();
    done.push(name);
  }

  const store = new CookieStateStore({
    secrets: ['a secret of at least 32 characters'],
    secure: false,
  });
  for (const [name, strategy] of Object.entries(
    strategies(emulated, { callbackURL: '/auth/callback', store }),
  )) {
    const app = await startApp(name, strategy);
    const browser = new Browser();
    const { headers } = await browser.visit(`${app.origin}/auth`);
    const callback = await new Browser().signIn(headers.get('location') ?? '', WHO);
    const answer = await browser.visit(callback);
    if (answer.status !== 200) throw new Error(await answer.text());
    strategy.client.close();
    await app.close();
    done.push(`${name} in Express`);
  }
  return done;
}

/** Runs a child that throws at a deprecated call, to its end. */
function child(
  job: string,
  settings: string,
): Promise<{ code: number | null; result: unknown; stderr: string }> {
  return new Promise((resolve, reject) => {
    const execArgv = ['--throw-deprecation', '--pending-deprecation'];
    const process = fork(__filename, [job, settings], { execArgv, silent: true });
    let result: unknown;
    let stderr = '';
    process.stderr?.on('data', (chunk: Buffer) => {
      stderr += chunk.toString();
    });
    process.on('message', (message) => {
      result = message;
    });
    process.on('error', reject);
    process.on('close', (code) => resolve({ code, result, stderr }));
  });
}

async function runAsChild([job, settings]: readonly (string | undefined)[]): Promise<void> {
  if (job === 'deprecated') process.emitWarning('used here', 'DeprecationWarning');
  process.send?.(await logins(JSON.parse(settings ?? '') as Options));
  process.disconnect();
}

if (require.main === module) {
  void runAsChild(process.argv.slice(2));
} else {
  describe('deprecations', () => {
    let emulator: Emulator;
    let settings: string;
    before(async () => {
      emulator = await startEmulator({ port: 0 });
      const { salesloft, salesos, salesforce } = emulator;
      settings = JSON.stringify({
        salesloft: salesloft.options,
        salesos: salesos.options,
        salesforce: salesforce.options,
      });
    });
    after(async () => {
      await emulator.close();
    });

    it('--throw-deprecation — whole logins of every strategy run without a deprecated call', async () => {
      const { code, result, stderr } = await child('logins', settings);
      expect(stderr).to.equal('');
      expect(result).to.deep.equal([
        'salesloft',
        'salesos',
        'salesforce',
        'salesloft in Express',
        'salesos in Express',
        'salesforce in Express',
      ]);
      expect(code).to.equal(0);
    }).timeout(60_000);

    it('--throw-deprecation — stops a process that uses a deprecated call', async () => {
      const { code, result, stderr } = await child('deprecated', settings);
      expect(stderr).to.include('DeprecationWarning: used here');
      expect(result).to.equal(undefined);
      expect(code).not.to.equal(0);
    }).timeout(60_000);
  });
}
