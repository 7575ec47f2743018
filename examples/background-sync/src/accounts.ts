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
  /** Milliseconds between two requests for one person, on average. */
  pauseMs: number;
}

export interface Account {
  label: string;
  fetch: () => Promise<unknown>;
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

/** @param onRefresh told each time this process has refreshed the tokens of a person */
export function accountsOf(
  { providers, people }: Accounts,
  store: TokenStore,
  onRefresh: (label: string) => void,
): Account[] {
  return people.map((person) => {
    const { provider, key } = person;
    const label = labelOf(person);
    // A client for each person, so that each refresh has a name. Otherwise one client serves all of them.
    const client = clientsOf({ providers })[provider];
    const refresh = client.refreshTokenGrant.bind(client);
    client.refreshTokenGrant = async (...parameters) => {
      const tokens = await refresh(...parameters);
      onRefresh(label);
      return tokens;
    };
    const { baseURL } = providers[provider];
    const api = authorizedFetch(userTokens(client, { store, key }), { baseURL });
    const path = provider === 'salesloft' ? 'me.json' : 'leads';
    return { label, fetch: async () => await api.json(path) };
  });
}

/** How long each person's tokens last, in words. */
export async function planOf(job: Accounts, store: TokenStore): Promise<Map<string, string>> {
  const clients = clientsOf(job);
  const words = new Map<string, string>();
  for (const provider of ['salesloft', 'salesos'] as const) {
    const people = job.people.filter((person) => person.provider === provider);
    const keys = people.map(({ key }) => key);
    // oxlint-disable-next-line no-await-in-loop -- two providers
    for (const planned of await planRefreshes(clients[provider], { store, keys })) {
      words.set(labelOf({ provider, key: planned.key }), wordsOf(planned));
    }
  }
  return words;
}

function wordsOf({ missing, error, refreshBy, signInBy }: PlannedRefresh): string {
  if (missing) return 'Redis has no tokens: the person must sign in';
  if (error) return error.message;
  const day = (at: number) => new Date(at).toISOString().slice(0, 10);
  const words = [
    refreshBy !== undefined && `must be refreshed by ${day(refreshBy)}`,
    signInBy !== undefined && `must sign in again by ${day(signInBy)}`,
  ].filter(Boolean);
  return words.join(', ') || 'no known end of the sign-in';
}
