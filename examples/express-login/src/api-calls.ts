/** The calls of each CRM's API that the page of connections offers: the tokens at work. */
import { authorizedFetch } from 'crm-oauth2';
import type { AuthorizedFetch, UserTokens } from 'crm-oauth2';
import type { ProviderName } from './providers';

/** A call, and what the page shows of the answer: names and values. */
export interface ApiCall {
  label: string;
  /** The scopes of a login that allows the call, where the usual ones do not. */
  scope?: string;
  run(api: AuthorizedFetch): Promise<[name: string, value: string][]>;
}

export const API_CALLS: Readonly<Record<ProviderName, Readonly<Record<string, ApiCall>>>> = {
  salesloft: {
    me: {
      label: 'Who am I?',
      run: async (api) => {
        const { data } = await api.json<Data<{ name: string; team: { id: number } }>>('me.json');
        return [
          ['Name', data.name],
          ['Team', String(data.team.id)],
        ];
      },
    },
    cadence: {
      label: 'Export a cadence',
      run: async (api) => {
        type Cadence = { cadence_content: { settings: { name: string }; step_groups: unknown[] } };
        const { data } = await api.json<Data<Cadence>>('cadence_exports/1.json');
        const { settings, step_groups: groups } = data.cadence_content;
        return [
          ['Cadence', settings.name],
          ['Days with steps', String(groups.length)],
        ];
      },
    },
  },
  salesos: {
    leads: {
      label: 'List leads',
      scope: 'openid profile email leads:read',
      run: async (api) => {
        const { data } = await api.json<Data<{ name: string; status: string }[]>>('leads');
        return data.map(({ name, status }) => [name, status]);
      },
    },
  },
  salesforce: {
    limits: {
      label: 'Show API limits',
      run: async (api) => {
        type Limit = { Max: number; Remaining: number };
        const limits = await api.json<Record<string, Limit>>('limits');
        return Object.entries(limits)
          .slice(0, 10)
          .map(([name, { Max, Remaining }]) => [name, `${Remaining} of ${Max} left`]);
      },
    },
    account: {
      label: 'Show an account',
      run: async (api) => {
        const query = new URLSearchParams({ q: 'SELECT Id, Name FROM Account LIMIT 1' });
        type Rows = { records: { Id: string; Name: string }[] };
        const { records } = await api.json<Rows>(`query?${query.toString()}`);
        return records.map(({ Id, Name }) => [Name, Id]);
      },
    },
  },
};

export function callOf(provider: ProviderName, name: unknown): ApiCall | undefined {
  const calls = API_CALLS[provider];
  return typeof name === 'string' && Object.hasOwn(calls, name) ? calls[name] : undefined;
}

interface Data<Type> {
  data: Type;
}

/** @param emulated the origins of providers that are emulated */
export function apiOf(
  provider: ProviderName,
  tokens: UserTokens,
  emulated: Partial<Record<ProviderName, string>>,
): AuthorizedFetch {
  if (provider === 'salesforce') {
    return authorizedFetch(tokens, {
      // The tokens name the host of their organization.
      baseURL: ({ response }) => `${response.instance_url as string}/services/data/v62.0`,
    });
  }
  const real = { salesloft: 'https://api.salesloft.com', salesos: 'https://api.play2sell.com' };
  const path = { salesloft: 'v2', salesos: 'v1' };
  const baseURL = `${emulated[provider] ?? real[provider]}/${path[provider]}`;
  return authorizedFetch(tokens, { baseURL });
}
