/** The leads API of SalesOS, for which access tokens are requested with an `audience`. */
import { randomUUID } from 'node:crypto';
import { bearerToken } from '../client-authentication.js';
import type { Route } from '../dialect.js';
import type { EngineRequest } from '../engine-request.js';
import type { KeyRing } from '../keys.js';
import type { Reply } from '../reply.js';
import { scopesOf } from '../values.js';

interface Lead {
  id: string;
  name: string;
  status: string;
}

/** The API checks the token's signature and claims only, as an API behind Auth0 does. */
export function leadsRoutes(keys: KeyRing, issuer: string, audience: string): Route[] {
  const leads: Lead[] = [
    { id: 'd1f7c1c0-0000-4000-8000-000000000001', name: 'Harbour Bakery', status: 'new' },
    { id: 'd1f7c1c0-0000-4000-8000-000000000002', name: 'Pine Street Cycles', status: 'contacted' },
  ];

  async function refusalOf(request: EngineRequest, scope: string): Promise<Reply | undefined> {
    const token = bearerToken(request) ?? '';
    const claims = await keys.verify(token, issuer, audience).catch(() => undefined);
    if (!claims) return problem(401, 'UNAUTHORIZED', 'Token is missing, expired, or invalid');
    const scopes = scopesOf(claims['scope']);
    return scopes.has(scope)
      ? undefined
      : problem(403, 'FORBIDDEN', `Token lacks the scope ${scope}`);
  }

  return [
    {
      methods: ['GET'],
      path: /^\/v1\/leads$/,
      handle: async ({ request }) =>
        (await refusalOf(request, 'leads:read')) ?? {
          status: 200,
          body: { data: leads, meta: meta() },
        },
    },
    {
      methods: ['POST'],
      path: /^\/v1\/leads$/,
      handle: async ({ request }) => {
        const refusal = await refusalOf(request, 'leads:write');
        if (refusal) return refusal;
        const name =
          request.mediaType === 'application/json' ? request.fields?.['name'] : undefined;
        if (typeof name !== 'string' || name === '') {
          return problem(400, 'VALIDATION_ERROR', 'The lead is not valid', [
            { field: 'name', message: 'is required' },
          ]);
        }
        const lead = { id: randomUUID(), name, status: 'new' };
        leads.push(lead);
        return { status: 201, body: { data: lead, meta: meta() } };
      },
    },
  ];
}

function problem(status: number, code: string, message: string, details?: unknown[]): Reply {
  return { status, body: { error: { code, message, ...(details && { details }) }, meta: meta() } };
}

function meta() {
  return { request_id: randomUUID(), timestamp: new Date().toISOString() };
}
