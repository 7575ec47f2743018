/** The form of the callback URL (RFC 6749 §3.1.2). */
import { isLoopback, requireCallbackUrl } from '../values/options';
import { findingsOf } from './finding';
import type { Finding } from './finding';

const { right, wrong, unknown, note } = findingsOf('callback');

/** Parameters that the answer of the provider brings (RFC 6749 §4.1.2, RFC 9207 §2). */
const ANSWER = ['code', 'state', 'error', 'error_description', 'iss'];

/**
 * @param name the variable that gives it
 * @param path where the callback of the provider usually is
 */
export function checkCallbackUrl(
  callbackURL: string | undefined,
  name: string,
  path: string,
): Finding[] {
  if (callbackURL === undefined) {
    const mend = `Set it, or pass --callback URL, such as http://localhost:3000${path}.`;
    return [unknown(`${name} is not set, so the callback URL is not checked.`, { mend })];
  }
  const fault = faultOf(callbackURL, name);
  if (fault !== undefined) return [wrong(`${fault}.`)];
  if (callbackURL.startsWith('/')) {
    const words = `${name} is a path. The strategy makes a URL of it with the host of each request.`;
    const mend = 'Register the whole URL, and pass it with --callback to check it.';
    return [note(words, { mend })];
  }
  const url = new URL(callbackURL);
  if (url.protocol === 'http:' && !isLoopback(url.hostname)) {
    const mend = `Write https, in ${name} and in the app at the provider.`;
    const words = `The callback URL ${callbackURL} is plain http. Codes may go over http to this machine only.`;
    return [wrong(words, { mend })];
  }
  const taken = ANSWER.filter((parameter) => url.searchParams.has(parameter));
  if (taken.length > 0) {
    const mend = 'Give the parameter another name, or leave it out.';
    const words = `The callback URL has a parameter "${taken.join('", "')}", which the answer of the provider has too.`;
    return [wrong(words, { mend })];
  }
  const findings = [right(`The callback URL ${callbackURL} has the right form.`)];
  if (url.pathname === '/') {
    const mend = `Give the callback a route of its own, such as ${path}.`;
    findings.push(note('The callback URL has no path.', { mend }));
  }
  return findings;
}

function faultOf(callbackURL: string, name: string): string | undefined {
  try {
    requireCallbackUrl('', name, callbackURL, true);
    return undefined;
  } catch (error) {
    return (error as TypeError).message.replace(`: option "${name}"`, name);
  }
}
