/** Copies a cadence between two Salesloft instances: reads as the app itself, writes as a person who signs in. */
import {
  OAuth2Client,
  authorizedFetch,
  clientCredentials,
  isOAuth2Error,
  userTokens,
} from 'crm-oauth2';
import { salesloft } from 'passport-salesloft';
import { ConfigError, setUp } from './setup';
import { signIn } from './sign-in';

interface Exported {
  data: { cadence_content: { settings: { name: string } } };
}
interface Imported {
  data: { cadence: { id: number; name: string } };
}
interface Me {
  data: { name: string };
}

async function main(): Promise<void> {
  const { cadence, from, to, callbackURL, visit, store, close } = await setUp(process.env);
  try {
    const app = clientCredentials(new OAuth2Client(salesloft, from.options));
    const there = authorizedFetch(app, { baseURL: from.baseURL });
    const { data } = await there.json<Exported>(`cadence_exports/${cadence}.json`);
    const { name } = data.cadence_content.settings;
    console.log(`Exported "${name}" from ${from.baseURL}`);

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
      json: { ...data, settings: { name: `Imported: ${name}`, shared: false } },
    });
    const { cadence: copy } = imported.data;
    console.log(`Imported it as "${copy.name}", number ${copy.id}`);
  } finally {
    await close();
  }
}

main().catch((error: unknown) => {
  if (isOAuth2Error(error)) console.error([error.message, error.hint].join('\n'));
  else console.error(error instanceof ConfigError ? error.message : error);
  process.exitCode = 1;
});
