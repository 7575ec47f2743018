/** The calls of each CRM's API that the page of connections offers: the tokens at work. */
import { authorizedFetch } from 'crm-oauth2';
import type { AuthorizedFetch, UserTokens } from 'crm-oauth2';
import type { ProviderName } from './providers';

/** A call, and what the page shows of the answer: names and values. */
export interface ApiCall {
  label: string;
  /** The scopes of a login that allows the call, where the usual ones do not. */
  scope?: string;
  run(api: AuthorizedFetch): Promise<Rows>;
}

type Rows = [name: string, value: string][];

/** Salesforce's REST API, at the host of the organization. */
const DATA = 'services/data/v62.0';

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
    cadences: {
      label: 'List cadences',
      run: async (api) => {
        const { data } = await api.json<Data<Cadence[]>>('cadences.json?per_page=10');
        return data.map(({ name, current_state: state }) => [name, state]);
      },
    },
    cadence: {
      label: 'Export a cadence',
      run: async (api) => {
        const content = await exportCadence(api);
        if (!content) return NO_CADENCE;
        return [
          ['Cadence', content.settings.name],
          ['Days with steps', String(content.step_groups.length)],
        ];
      },
    },
    import: {
      label: 'Import a copy of it',
      run: async (api) => {
        const content = await exportCadence(api);
        if (!content) return NO_CADENCE;
        const name = `Copy of ${content.settings.name}`;
        // A draft of the person, which no colleague sees.
        const json = { cadence_content: content, settings: { name, shared: false } };
        type Imported = Data<{ cadence: { id: number; name: string } }>;
        const { data } = await api.json<Imported>('cadence_imports.json', { method: 'POST', json });
        return [
          ['Imported as', data.cadence.name],
          ['Number', String(data.cadence.id)],
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
    me: {
      label: 'Who am I?',
      run: async (api) => {
        type UserInfo = { name: string; preferred_username: string; organization_id: string };
        const user = await api.json<UserInfo>('services/oauth2/userinfo');
        return [
          ['Name', user.name],
          ['Username', user.preferred_username],
          ['Organization', user.organization_id],
        ];
      },
    },
    limits: {
      label: 'Show API limits',
      run: async (api) => {
        type Limit = { Max: number; Remaining: number };
        const limits = await api.json<Record<string, Limit>>(`${DATA}/limits`);
        return Object.entries(limits)
          .slice(0, 10)
          .map(([name, { Max, Remaining }]) => [name, `${Remaining} of ${Max} left`]);
      },
    },
    account: {
      label: 'Show an account',
      run: async (api) => {
        const query = new URLSearchParams({ q: 'SELECT Id, Name FROM Account LIMIT 1' });
        type Found = { records: { Id: string; Name: string }[] };
        const { records } = await api.json<Found>(`${DATA}/query?${query.toString()}`);
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

interface Cadence {
  id: number;
  name: string;
  current_state: string;
}

interface CadenceContent {
  settings: { name: string };
  step_groups: unknown[];
}

const NO_CADENCE: Rows = [['Cadences', 'none is active']];

/** The newest cadence that people are on: a copy of it is a draft. */
async function exportCadence(api: AuthorizedFetch): Promise<CadenceContent | undefined> {
  const { data: cadences } = await api.json<Data<Cadence[]>>('cadences.json');
  const newest = cadences.find(({ current_state: state }) => state === 'active');
  if (!newest) return undefined;
  type Exported = Data<{ cadence_content: CadenceContent }>;
  const { data } = await api.json<Exported>(`cadence_exports/${newest.id}.json`);
  return data.cadence_content;
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
      baseURL: ({ response }) => response.instance_url as string,
    });
  }
  const real = { salesloft: 'https://api.salesloft.com', salesos: 'https://api.play2sell.com' };
  const path = { salesloft: 'v2', salesos: 'v1' };
  const baseURL = `${emulated[provider] ?? real[provider]}/${path[provider]}`;
  return authorizedFetch(tokens, { baseURL });
}
