/** Copies a cadence between two Salesloft instances: reads as the app itself, writes as a person who signs in. */
import {
  OAuth2Client,
  authorizedFetch,
  clientCredentials,
  isOAuth2Error,
  userTokens,
} from 'crm-oauth2';
import { salesloft } from 'passport-salesloft';
import { importOf, nameOf, quoted, stepsOf } from './cadence';
import type { Exported } from './cadence';
import { ConfigError } from './config-error';
import { USAGE, UsageError, readOptions } from './options';
import { setUp } from './setup';
import type { Setup } from './setup';
import { signIn } from './sign-in';

interface Imported {
  data: { cadence: { id: number; name: string } };
}
interface Me {
  data: { name: string };
}

const STATUS = { failure: 1, usage: 2 };

async function main(): Promise<void> {
  const options = readOptions(process.argv.slice(2));
  if (options.help) return console.log(USAGE);
  const setup = await setUp(process.env, options.cadence);
  try {
    await transfer(setup);
  } finally {
    await setup.close();
  }
}

async function transfer(setup: Setup): Promise<void> {
  const { cadence, from, to, callbackURL, visit, store, isEmulated } = setup;
  if (isEmulated) console.log('The emulator plays both Salesloft instances.');

  const app = clientCredentials(new OAuth2Client(salesloft, from.options));
  const there = authorizedFetch(app, { baseURL: from.baseURL });
  const exported = await there.json<Exported>(`cadence_exports/${cadence}.json`);
  const name = nameOf(exported, cadence);
  const steps = stepsOf(exported);
  console.log(`Read cadence ${cadence}, ${quoted(name)}, at ${from.baseURL}:`);
  for (const step of steps) console.log(`  ${step}`);

  const client = new OAuth2Client(salesloft, to.options);
  const person = userTokens(client, { store, key: 'cadence-transfer' });
  await person.getAccessToken().catch(async (error: unknown) => {
    // The store has no tokens, or none that the provider still accepts.
    if (!isOAuth2Error(error) || error.code !== 'reauthorization_required') throw error;
    await person.save(await signIn(client, callbackURL, visit));
  });
  const here = authorizedFetch(person, { baseURL: to.baseURL });
  const me = await here.json<Me>('me.json');
  console.log(`Signed in at ${to.baseURL} as ${me.data.name}`);

  const imported = await here.json<Imported>('cadence_imports.json', {
    method: 'POST',
    json: importOf(exported, `Imported: ${name}`),
  });
  const { cadence: copy } = imported.data;
  const count = steps.length === 1 ? '1 step' : `${steps.length} steps`;
  console.log(`Copied ${count} to cadence ${copy.id}, ${quoted(copy.name)}`);
}

main().catch((error: unknown) => {
  process.exitCode = error instanceof UsageError ? STATUS.usage : STATUS.failure;
  if (error instanceof UsageError) console.error(`${error.message}\n\n${USAGE}`);
  else if (isOAuth2Error(error)) console.error([error.message, error.hint].join('\n'));
  // Any other error is a fault of this program, which its stack helps to find.
  else console.error(error instanceof ConfigError ? error.message : error);
});
