import type { Rehearsal } from './dialect.js';
import type { Step } from './types.js';

const WIRE = [
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

/** The wire faults of one endpoint, as choices of the sign-in page. */
export function wireRehearsals(step: Step, endpoint: string): Rehearsal[] {
  return WIRE.map(([label, fault]) => ({
    label: `${endpoint} ${label}`,
    fault: { ...fault, step },
  }));
}

/** The lies an ID Token can tell. */
export function idTokenRehearsals(): Rehearsal[] {
  const lie = { step: 'token', kind: 'id-token' } as const;
  return [
    { label: 'ID Token is unsigned (alg none)', fault: { ...lie, alg: 'none' } },
    { label: 'ID Token is signed with the public key (HS256)', fault: { ...lie, alg: 'HS256' } },
    { label: 'ID Token names an unknown key', fault: { ...lie, alg: 'unknown-kid' } },
    { label: 'ID Token brings its own key', fault: { ...lie, alg: 'embedded-jwk' } },
    { label: 'ID Token has a bad signature', fault: { ...lie, alg: 'bad-signature' } },
    {
      label: 'ID Token is for another client',
      fault: { ...lie, claims: { aud: 'another-client' } },
    },
    {
      label: 'ID Token is of another issuer',
      fault: { ...lie, claims: { iss: 'https://evil.example/' } },
    },
    { label: 'ID Token has another nonce', fault: { ...lie, claims: { nonce: 'another-nonce' } } },
    {
      label: 'ID Token has expired',
      fault: { ...lie, claims: { exp: 1_600_000_000, iat: 1_599_999_000 } },
    },
  ];
}
