/** SalesOS's people: their subject, their claims by scope, and UserInfo. */
import { bearerToken } from '../client-authentication.js';
import type { Environment } from '../dialect.js';
import type { Handler } from '../endpoints.js';
import type { KeyRing } from '../keys.js';
import type { CompletePerson, People } from '../people.js';
import { photoURL } from '../photo.js';
import { oauthError, ok } from '../reply.js';
import { scopesOf, textOf } from '../values.js';

/** Auth0's issuers end in a slash. */
export const issuerOf = (origin: string): string => `${origin}/`;

export const CLAIMS_BY_SCOPE = {
  profile: ['name', 'given_name', 'family_name', 'nickname', 'picture', 'updated_at'],
  email: ['email', 'email_verified'],
} as const;

export const subjectOf = ({ hex }: CompletePerson): string => `auth0|${hex}`;

export function personOfSubject(people: People, subject: string): CompletePerson | undefined {
  return people.all.find((person) => subjectOf(person) === subject);
}

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
  ({ origin, people, store }: Environment, keys: KeyRing): Handler =>
  async ({ request }) => {
    const token = bearerToken(request) ?? '';
    const opaque = store.findLive('AccessToken', token);
    const claims = opaque
      ? { sub: opaque['accountId'], scope: opaque['scope'] }
      : await keys.verify(token, issuerOf(origin), `${origin}/userinfo`).catch(() => undefined);
    const person = personOfSubject(people, textOf(claims?.['sub']));
    const scopes = scopesOf(claims?.['scope']);
    if (!person || !scopes.has('openid') || store.hasEnded(token)) {
      const description = 'The access token is invalid or has expired';
      const challenge = `Bearer error="invalid_token", error_description="${description}"`;
      return {
        ...oauthError(401, 'invalid_token', description),
        headers: { 'www-authenticate': challenge },
      };
    }
    const allowed = new Set<string>(
      Object.entries(CLAIMS_BY_SCOPE).flatMap(([scope, names]) => (scopes.has(scope) ? names : [])),
    );
    const shown = Object.entries(claimsOf(person, origin)).filter(([name]) => allowed.has(name));
    return ok({ sub: claims?.['sub'], ...Object.fromEntries(shown) });
  };
