/** SalesOS's people: their claims by scope, and UserInfo. */
import type { Handler } from '../endpoints.js';
import type { CompletePerson } from '../people.js';
import { photoURL } from '../photo.js';
import { oauthError, ok } from '../reply.js';
import { scopesOf } from '../values.js';
import type { Tenant } from './salesos-tenant.js';

export const CLAIMS_BY_SCOPE = {
  profile: ['name', 'given_name', 'family_name', 'nickname', 'picture', 'updated_at'],
  email: ['email', 'email_verified'],
} as const;

export function claimsOf(person: CompletePerson, origin: string): Record<string, unknown> {
  const { email, emailVerified, firstName, lastName, name, handle } = person;
  return {
    name,
    ...(firstName !== null && { given_name: firstName }),
    ...(lastName && { family_name: lastName }),
    nickname: handle,
    picture: photoURL(origin, person),
    updated_at: '2026-08-01T09:30:00.000Z',
    ...(email && { email, email_verified: emailVerified }),
  };
}

/** OIDC Core §5.3, for an opaque access token or a JWT. */
export const userInfo =
  ({ issuer, keys, origin, people, store }: Tenant): Handler =>
  async ({ request }) => {
    const token = request.bearerToken;
    const opaque = store.findLive('AccessToken', token);
    const claims = opaque
      ? { sub: opaque.accountId, scope: opaque['scope'] }
      : await keys.claimsOf(token, { issuer, audience: `${origin}/userinfo` });
    const person = people.bySubject(claims?.sub);
    const scopes = scopesOf(claims?.['scope']);
    if (!person || !scopes.has('openid') || store.hasEnded(token)) {
      const description = 'The access token is invalid or has expired';
      const challenge = `Bearer error="invalid_token", error_description="${description}"`;
      const headers = { 'www-authenticate': challenge };
      return { ...oauthError(401, 'invalid_token', description), headers };
    }
    const allowed = Object.entries(CLAIMS_BY_SCOPE).flatMap(([scope, names]): readonly string[] =>
      scopes.has(scope) ? names : [],
    );
    const shown = Object.entries(claimsOf(person, origin)).filter(([name]) =>
      allowed.includes(name),
    );
    return ok({ sub: person.subject, ...Object.fromEntries(shown) });
  };
