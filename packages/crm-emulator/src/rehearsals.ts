/** The faults that the sign-in page offers under "Rehearse a failure". */
import type { Rehearsal } from './dialect.js';
import type { Step } from './types.js';

const WIRE_FAULTS = [
  ['answers after 15 seconds', { kind: 'slow', delayMs: 15_000 }],
  ['never answers', { kind: 'silent' }],
  ['breaks the connection', { kind: 'reset' }],
  ['stops half-way', { kind: 'cut' }],
  ['answers 500', { kind: 'status', status: 500 }],
  ['answers 429, retry after 30 seconds', { kind: 'status', status: 429, retryAfter: 30 }],
  ['answers with a web page', { kind: 'html' }],
  ['answers with broken JSON', { kind: 'not-json' }],
  ['redirects to another host', { kind: 'redirect', location: 'http://127.0.0.2:9/elsewhere' }],
] as const;

/** The faults that any endpoint can have. */
export function wireRehearsals(step: Step, endpoint: string): Rehearsal[] {
  return WIRE_FAULTS.map(([label, fault]) => ({
    label: `${endpoint} ${label}`,
    fault: { ...fault, step },
  }));
}

/** ID Tokens that a client must refuse (OIDC Core §3.1.3.7). */
export function idTokenRehearsals(): Rehearsal[] {
  const idToken = { step: 'token', kind: 'id-token' } as const;
  const withClaims = (label: string, claims: Record<string, unknown>): Rehearsal => ({
    label,
    fault: { ...idToken, claims },
  });
  return [
    { label: 'ID Token is unsigned (alg none)', fault: { ...idToken, alg: 'none' } },
    {
      label: 'ID Token is signed with the public key (HS256)',
      fault: { ...idToken, alg: 'HS256' },
    },
    { label: 'ID Token names an unknown key', fault: { ...idToken, alg: 'unknown-kid' } },
    { label: 'ID Token brings its own key', fault: { ...idToken, alg: 'embedded-jwk' } },
    { label: 'ID Token has a bad signature', fault: { ...idToken, alg: 'bad-signature' } },
    withClaims('ID Token is for another client', { aud: 'another-client' }),
    withClaims('ID Token is of another issuer', { iss: 'https://evil.example/' }),
    withClaims('ID Token has another nonce', { nonce: 'another-nonce' }),
    withClaims('ID Token has expired', { exp: 1_600_000_000, iat: 1_599_999_000 }),
  ];
}
