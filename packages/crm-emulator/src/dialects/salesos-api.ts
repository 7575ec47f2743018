/** The leads API of SalesOS, for which access tokens are requested with an `audience`. */
import { randomUUID } from 'node:crypto';
import type { Handler } from '../endpoints.js';
import { ok, type Reply } from '../reply.js';
import { scopesOf, textOf } from '../values.js';
import type { Tenant } from './salesos-tenant.js';

/** The API checks the token's signature and claims only, as an API behind Auth0 does. */
export function leadsApi({ issuer, keys, store }: Tenant, audience: string): Handler {
  const leads = [
    { id: 'd1f7c1c0-0000-4000-8000-000000000001', name: 'Harbour Bakery', status: 'new' },
    { id: 'd1f7c1c0-0000-4000-8000-000000000002', name: 'Pine Street Cycles', status: 'contacted' },
  ];

  async function refusalOf(token: string, scope: string): Promise<Reply | undefined> {
    const claims = await keys.claimsOf(token, { issuer, audience });
    if (!claims || store.hasEnded(token))
      return refusal(401, 'UNAUTHORIZED', 'Token is missing, expired, or invalid');
    return scopesOf(claims['scope']).has(scope)
      ? undefined
      : refusal(403, 'FORBIDDEN', `Token lacks the scope ${scope}`);
  }

  return async ({ request, method }) => {
    const refused = await refusalOf(
      request.bearerToken,
      method === 'GET' ? 'leads:read' : 'leads:write',
    );
    if (refused) return refused;
    if (method === 'GET') return ok({ data: leads, meta: meta() });
    const name = request.mediaType === 'application/json' && textOf(request.fields?.['name']);
    if (!name) {
      const details = [{ field: 'name', message: 'is required' }];
      return refusal(400, 'VALIDATION_ERROR', 'The lead is not valid', details);
    }
    const lead = { id: randomUUID(), name, status: 'new' };
    leads.push(lead);
    return { status: 201, body: { data: lead, meta: meta() } };
  };
}

export const problem = (code: string, message: string, details?: object[]) => ({
  error: { code, message, ...(details && { details }) },
  meta: meta(),
});

const refusal = (status: number, ...words: Parameters<typeof problem>): Reply => ({
  status,
  body: problem(...words),
});

function meta() {
  return { request_id: randomUUID(), timestamp: new Date().toISOString() };
}
