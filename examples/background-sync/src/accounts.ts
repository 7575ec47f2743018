/** The people whose tokens are used, and the requests made with them. */
import { OAuth2Client, authorizedFetch, planRefreshes, userTokens } from 'crm-oauth2';
import type { ClientOptions, PlannedRefresh, TokenStore } from 'crm-oauth2';
import { salesloft } from 'passport-salesloft';
import { salesos } from 'passport-salesos';

export type ProviderName = 'salesloft' | 'salesos';

export interface Person {
  provider: ProviderName;
  /** The login saved the tokens under it: `profile.id`. */
  key: string;
}

/** The job that a worker gets, as one message. */
export interface Job {
  redisURL: string;
  secret: string;
  /** Begins every name in Redis. */
  prefix: string;
  providers: Record<ProviderName, { options: ClientOptions; baseURL: string }>;
  people: Person[];
}

export interface Account {
  label: string;
  fetch: () => Promise<unknown>;
  refreshes: () => number;
}

type Accounts = Pick<Job, 'providers' | 'people'>;

export const labelOf = ({ provider, key }: Person): string => `${key} (${provider})`;

export function clientsOf({
  providers,
}: Pick<Job, 'providers'>): Record<ProviderName, OAuth2Client> {
  return {
    salesloft: new OAuth2Client(salesloft, providers.salesloft.options),
    salesos: new OAuth2Client(salesos, providers.salesos.options),
  };
}

export function accountsOf({ providers, people }: Accounts, store: TokenStore): Account[] {
  return people.map((person) => {
    const { provider, key } = person;
    // One client per person, so that the refreshes of each are counted. One client would do otherwise.
    const client = clientsOf({ providers })[provider];
    const refreshes = countRefreshes(client);
    const { baseURL } = providers[provider];
    const api = authorizedFetch(userTokens(client, { store, key }), { baseURL });
    const path = provider === 'salesloft' ? 'me.json' : 'leads';
    return { label: labelOf(person), fetch: async () => await api.json(path), refreshes };
  });
}

function countRefreshes(client: OAuth2Client): () => number {
  let count = 0;
  const refresh = client.refreshTokenGrant.bind(client);
  client.refreshTokenGrant = async (...parameters) => {
    count += 1;
    return await refresh(...parameters);
  };
  return () => count;
}

/** The time by which each person's tokens must be refreshed, in words. */
export async function planOf(job: Accounts, store: TokenStore): Promise<string[]> {
  const clients = clientsOf(job);
  const keysOf = (name: ProviderName) =>
    job.people.filter(({ provider }) => provider === name).map(({ key }) => key);
  const plans = await Promise.all(
    (['salesloft', 'salesos'] as const).map(async (provider) => {
      const plan = await planRefreshes(clients[provider], { store, keys: keysOf(provider) });
      return plan.map((planned) => `${labelOf({ provider, ...planned })}: ${wordsOf(planned)}`);
    }),
  );
  return plans.flat();
}

function wordsOf({ missing, refreshBy, signInBy }: PlannedRefresh): string {
  if (missing) return 'the store has no tokens, the person must sign in';
  const day = (at: number) => new Date(at).toISOString().slice(0, 10);
  const words = [
    refreshBy !== undefined && `refresh by ${day(refreshBy)}`,
    signInBy !== undefined && `sign in again by ${day(signInBy)}`,
  ].filter(Boolean);
  return words.join(', ') || 'the tokens have no known end';
}
