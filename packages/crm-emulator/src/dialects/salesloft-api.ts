/** Salesloft's REST API: who the user is, and its cadences. */
import type { Environment } from '../dialect.js';
import type { EndpointRow, Handler, RouteContext } from '../endpoints.js';
import type { CompletePerson, People } from '../people.js';
import { ok, type Reply } from '../reply.js';
import { scopesOf } from '../values.js';
import { Cadences, REAL_API_ORIGIN } from './salesloft-cadences.js';

const MINUTE_MS = 60_000;
const REQUESTS_PER_MINUTE = 600;

interface Caller {
  person: CompletePerson;
  /** An API key is not limited to scopes. */
  scopes: ReadonlySet<string> | 'all';
}

export function salesloftApi({ store, options }: Environment, people: People): EndpointRow[] {
  const apiKeys = new Set(options.apiKeys ?? []);
  const cadences = new Cadences(people.administrator);
  let minute = 0;
  let remaining = REQUESTS_PER_MINUTE;

  function callerOf(token: string): Caller | undefined {
    if (/^ak[0-9a-f]{64}$/.test(token)) {
      return apiKeys.has(token) ? { person: people.administrator, scopes: 'all' } : undefined;
    }
    const ownToken = store.findLive('ClientCredentials', token);
    const entry = ownToken ?? store.findLive('AccessToken', token);
    if (!entry) return undefined;
    // The client's own token acts as the administrator who created the application.
    const person = ownToken ? people.administrator : people.bySubject(entry.accountId);
    return person && { person, scopes: scopesOf(entry['scope']) };
  }

  function rateHeaders(): Record<string, string> {
    const now = Math.floor(Date.now() / MINUTE_MS);
    if (now !== minute) [minute, remaining] = [now, REQUESTS_PER_MINUTE];
    remaining = Math.max(0, remaining - 1);
    return {
      'x-ratelimit-endpoint-cost': '1',
      'x-ratelimit-remaining-minute': String(remaining),
    };
  }

  /** Wraps a handler: checks the token and the scope, and counts the request. */
  function guarded(
    scope: string | undefined,
    answer: (caller: Caller, context: RouteContext) => Reply,
  ): Handler {
    const checked = (context: RouteContext) => {
      const token = context.request.bearerToken;
      if (!token) return refusal(401, NO_TOKEN);
      const caller = callerOf(token);
      if (!caller) return refusal(401, 'Invalid Bearer token');
      if (scope && caller.scopes !== 'all' && !caller.scopes.has(scope)) {
        return refusal(403, `Missing scope: ${scope}`);
      }
      return answer(caller, context);
    };
    return (context) => ({ ...checked(context), headers: rateHeaders() });
  }

  const me = guarded(undefined, ({ person }) => ok({ data: userOf(person) }));
  const listed = guarded('cadences:read', (_caller, { url }) => cadences.list(url));
  const exported = guarded('cadences:read', (_caller, { match }) =>
    cadences.export(Number(match[1])),
  );
  const imported = guarded('cadences:write', ({ person }, { request }) =>
    cadences.import(request, person),
  );
  const unknown = guarded(undefined, () => refusal(404, 'Not Found'));
  return [
    ['Profile', 'GET', '/v2/me{.json}', ['profile', 'api'], me],
    ['API: cadences', 'GET', '/v2/cadences{.json}', 'api', listed],
    ['API: cadence export', 'GET', '/v2/cadence_exports/:id{.json}', 'api', exported],
    ['API: cadence import', 'POST', '/v2/cadence_imports{.json}', 'api', imported],
    ['', 'GET, POST, PUT, PATCH, DELETE', '/v2/*', 'api', unknown],
  ];
}

const refusal = (status: number, error: string): Reply => ({ status, body: { error } });

const NO_TOKEN =
  'No Bearer Token attached to request, please see documentation at developers.salesloft.com';

function userOf(person: CompletePerson): Record<string, unknown> {
  const { name, firstName, lastName, email = null, number } = person;
  return {
    bcc_email_address: null,
    twitter_handle: null,
    work_country: null,
    phone_number_assignment: null,
    local_dial_enabled: false,
    manager_user_guid: null,
    click_to_call_enabled: false,
    email_signature_click_tracking_disabled: false,
    id: number,
    guid: person.guid,
    created_at: '2024-02-20T20:03:20.996772-05:00',
    updated_at: '2026-04-27T07:18:23.531659-04:00',
    name,
    first_name: firstName,
    last_name: lastName,
    email,
    sending_email_address: email,
    email_client_email_address: email,
    full_email_address: email && `"${name}" <${email}>`,
    job_role: person.jobRole,
    active: person.active,
    time_zone: person.timeZone,
    locale_utc_offset: -240,
    slack_username: person.handle,
    seat_package: 'premier',
    email_signature: `<p>${name.replace(/[&<>]/g, '')}</p>`,
    email_signature_type: 'html',
    team_admin: person.admin,
    email_client_configured: email !== null,
    crm_connected: true,
    external_feature_flags: { ma_enabled: true, hot_leads: true, linkedin_oauth_flow: true },
    _private_fields: {},
    phone_client: { id: number - 2_000 },
    group: { id: 1, _href: `${REAL_API_ORIGIN}/v2/groups/1` },
    team: { id: person.teamId, _href: `${REAL_API_ORIGIN}/v2/team` },
    role: { id: person.admin ? 'Admin' : 'User' },
  };
}
