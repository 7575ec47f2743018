/** Whose tokens, and what is fetched with them. */
import { OAuth2Client, authorizedFetch, planRefreshes, userTokens } from 'crm-oauth2';
import type { ClientOptions, PlannedRefresh, RefreshClient, TokenStore } from 'crm-oauth2';
import { salesloft } from 'passport-salesloft';
import { salesos } from 'passport-salesos';

export type ProviderName = 'salesloft' | 'salesos';

export interface Person {
  provider: ProviderName;
  /** Under which the login has saved the tokens: `profile.id`. */
  key: string;
}

/** What a worker is told. */
export interface Job {
  redisURL: string;
  secret: string;
  /** In front of the names in Redis. */
  prefix: string;
  providers: Record<ProviderName, { options: ClientOptions; baseURL: string }>;
  people: Person[];
}

export interface Account {
  label: string;
  fetch: () => Promise<unknown>;
  refreshes: () => number;
}

type Known = Pick<Job, 'providers' | 'people'>;

export const labelOf = ({ provider, key }: Person): string => `${key} (${provider})`;

/** What the two clients have in common, and is used here. */
export type Client = RefreshClient &
  Pick<
    OAuth2Client,
    | 'createLoginAttempt'
    | 'buildAuthorizationUrl'
    | 'validateAuthorizationResponse'
    | 'authorizationCodeGrant'
  >;

export function clientsOf({ providers }: Pick<Job, 'providers'>): Record<ProviderName, Client> {
  return {
    salesloft: new OAuth2Client(salesloft, providers.salesloft.options),
    salesos: new OAuth2Client(salesos, providers.salesos.options),
  };
}

export function accountsOf({ providers, people }: Known, store: TokenStore): Account[] {
  return people.map((person) => {
    const { provider, key } = person;
    // A client each, only because refreshes are counted: one for all would do.
    const client = clientsOf({ providers })[provider];
    const refreshes = countRefreshes(client);
    const { baseURL } = providers[provider];
    const api = authorizedFetch(userTokens(client, { store, key }), { baseURL });
    const path = provider === 'salesloft' ? 'me.json' : 'leads';
    return { label: labelOf(person), fetch: async () => await api.json(path), refreshes };
  });
}

function countRefreshes(client: Client): () => number {
  let count = 0;
  const refresh = client.refreshTokenGrant.bind(client);
  client.refreshTokenGrant = async (...parameters) => {
    count += 1;
    return await refresh(...parameters);
  };
  return () => count;
}

/** Who must be refreshed by when, in words. */
export async function planOf(job: Known, store: TokenStore): Promise<string[]> {
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
  if (missing) return 'nothing is kept, the person must sign in';
  const day = (at: number) => new Date(at).toISOString().slice(0, 10);
  const words = [
    refreshBy !== undefined && `refresh by ${day(refreshBy)}`,
    signInBy !== undefined && `sign in again by ${day(signInBy)}`,
  ].filter(Boolean);
  return words.join(', ') || 'no end is known';
}
