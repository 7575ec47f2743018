/** The leads API of SalesOS, for which access tokens are requested with an `audience`. */
import { randomUUID } from 'node:crypto';
import { bearerToken } from '../client-authentication.js';
import type { Environment } from '../dialect.js';
import type { Handler } from '../endpoints.js';
import type { EngineRequest } from '../engine-request.js';
import type { KeyRing } from '../keys.js';
import type { Reply } from '../reply.js';
import { scopesOf } from '../values.js';
import { issuerOf } from './salesos-identity.js';

interface Lead {
  id: string;
  name: string;
  status: string;
}

/** The API checks the token's signature and claims only, as an API behind Auth0 does. */
export function leadsApi({ origin, store }: Environment, keys: KeyRing, audience: string): Handler {
  const issuer = issuerOf(origin);
  const leads: Lead[] = [
    { id: 'd1f7c1c0-0000-4000-8000-000000000001', name: 'Harbour Bakery', status: 'new' },
    { id: 'd1f7c1c0-0000-4000-8000-000000000002', name: 'Pine Street Cycles', status: 'contacted' },
  ];

  async function refusalOf(request: EngineRequest, scope: string): Promise<Reply | undefined> {
    const token = bearerToken(request) ?? '';
    const claims = await keys.verify(token, issuer, audience).catch(() => undefined);
    if (!claims || store.hasEnded(token))
      return problem(401, 'UNAUTHORIZED', 'Token is missing, expired, or invalid');
    const scopes = scopesOf(claims['scope']);
    return scopes.has(scope)
      ? undefined
      : problem(403, 'FORBIDDEN', `Token lacks the scope ${scope}`);
  }

  return async ({ request, method }) => {
    const refusal = await refusalOf(request, method === 'GET' ? 'leads:read' : 'leads:write');
    if (refusal) return refusal;
    if (method === 'GET') return { status: 200, body: { data: leads, meta: meta() } };
    const name = request.mediaType === 'application/json' ? request.fields?.['name'] : undefined;
    if (typeof name !== 'string' || name === '') {
      const details = [{ field: 'name', message: 'is required' }];
      return problem(400, 'VALIDATION_ERROR', 'The lead is not valid', details);
    }
    const lead = { id: randomUUID(), name, status: 'new' };
    leads.push(lead);
    return { status: 201, body: { data: lead, meta: meta() } };
  };
}

function problem(status: number, code: string, message: string, details?: unknown[]): Reply {
  return { status, body: { error: { code, message, ...(details && { details }) }, meta: meta() } };
}

function meta() {
  return { request_id: randomUUID(), timestamp: new Date().toISOString() };
}
