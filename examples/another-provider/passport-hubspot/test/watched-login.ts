/** Logs in, refreshes, fails, and prints all that the library says about it. */
import { subscribe } from 'node:diagnostics_channel';
import { createServer } from 'node:http';
import { inspect } from 'node:util';
import { MemoryTokenStore, userTokens } from 'crm-oauth2';
import { completeLogin, rejection } from 'crm-oauth2/testing';
import { HubSpotStrategy } from '../dist/index';
import { ANSWER, CLIENT, DEAD, TOKEN, TOKENS } from './sample';

/** The answers of HubSpot, in their order. Those with a "status" are errors. */
const answers: Record<string, object[]> = {
  '/oauth/v1/token': [TOKENS, DEAD],
  [`/oauth/v1/access-tokens/${TOKEN}`]: [ANSWER],
};
const stub = createServer(({ url = '' }, response) => {
  const answer = answers[url]?.shift() ?? { status: 'error', message: `unknown path ${url}` };
  response.writeHead('status' in answer ? 400 : 200, { 'content-type': 'application/json' });
  response.end(JSON.stringify(answer));
});

const print = (value: unknown) => console.log(inspect(value, { depth: 10 }));

async function main({ port }: { port: number }): Promise<void> {
  subscribe('crm-oauth2', print);
  const urls = { callbackURL: 'https://app.example/callback', apiURL: `http://127.0.0.1:${port}` };
  const { client } = new HubSpotStrategy({ ...CLIENT, ...urls, verify: ({ profile }) => profile });
  const tokens = await completeLogin(client);
  const profile = await client.fetchProfile(tokens);
  print(profile);

  const person = userTokens(client, { store: new MemoryTokenStore(), key: profile.id });
  await person.save(tokens);
  print(await rejection(person.refresh()));

  // The stub refuses this token, and repeats it in its error.
  const ended = { ...tokens, accessToken: `${TOKEN}-ended` };
  print(await rejection(client.fetchProfile(ended)));
  client.close();
  stub.close();
}

stub.listen(0, '127.0.0.1', () => void main(stub.address() as { port: number }));
