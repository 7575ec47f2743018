/** The tolerant mode: reads what the real services accept, although it is unsafe, as if it came the right way. */
import { createHash } from 'node:crypto';
import { type Endpoint, pathOf } from './endpoints.js';
import { type EngineRequest, type Fields, FORM_TYPE, formFields } from './engine-request.js';
import type { Store } from './store.js';

const TOKEN_PARAMETERS = ['access_token', 'oauth_token'];

/** RFC 7636 §4.1: the longest code verifier. */
const LONGEST_VERIFIER = 128;
/** Takes the place of a longer one, which the engine would refuse. */
const SHORT_VERIFIER = 'a-verifier-of-the-emulator-in-its-tolerant-mode';

/** Moves the parameters of a token request into its form, and a token in a query into the header. */
export function tolerate(request: EngineRequest, endpoints: readonly Endpoint[]): void {
  const [path = '', query = ''] = (request.url ?? '').split('?', 2);
  const params = new URLSearchParams(query);
  const isToken = path === pathOf(endpoints, 'token');
  if (path.startsWith(pathOf(endpoints, 'authorize')) || (isToken && params.size === 0)) return;
  if (isToken) {
    request.fields = { ...formFields(params), ...request.fields };
    request.mediaType = FORM_TYPE;
    request.url = path;
    return;
  }
  for (const name of TOKEN_PARAMETERS) {
    const token = params.get(name) ?? request.fields?.[name];
    if (typeof token === 'string') request.headers.authorization ??= `Bearer ${token}`;
    params.delete(name);
  }
  request.url = params.size > 0 ? `${path}?${params.toString()}` : path;
}

/** Accepts a code verifier that is too long, if it is the right one. */
export function acceptLongVerifier(form: Fields, store: Store): void {
  const { code, code_verifier: verifier } = form;
  if (typeof code !== 'string' || typeof verifier !== 'string') return;
  const entry = store.find('AuthorizationCode', code);
  if (verifier.length <= LONGEST_VERIFIER || entry?.['codeChallenge'] !== challengeOf(verifier)) {
    return;
  }
  entry['codeChallenge'] = challengeOf(SHORT_VERIFIER);
  form['code_verifier'] = SHORT_VERIFIER;
}

function challengeOf(verifier: string): string {
  return createHash('sha256').update(verifier).digest('base64url');
}
