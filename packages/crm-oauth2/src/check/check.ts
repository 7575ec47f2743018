/** Runs the checks of one set-up, in the order in which a login would meet what is wrong. */
import { Asking } from './asking';
import { checkAuthorization, clarify } from './authorization';
import type { Authorization } from './authorization';
import { checkCallbackUrl } from './callback-url';
import { checkClientPair } from './client-pair';
import { checkClock } from './clock';
import { findingsOf } from './finding';
import type { Finding, Part } from './finding';
import { checkDiscovery, checkKeys } from './issuer';
import { checkReachable } from './reachable';
import { readSetUp, variableOf, withVariables } from './variables';
import type { Environment, SetUp } from './variables';
import type { Provider } from '../provider/description';
import type { Agent } from '../wire/http';

export interface CheckRequest {
  provider: Provider;
  /** The first part of the names of the variables. */
  prefix: string;
  environment: Environment;
  /** The app has no secret. */
  isPublic: boolean;
  timeoutMs: number;
  now: () => number;
}

export interface Checked {
  setUp: SetUp;
  findings: readonly Finding[];
  /** The agent of a proxy, where the provider was reached through one only. */
  agent: Agent | undefined;
}

/** Asks the provider what can be asked without a person. */
export async function checkSetUp(request: CheckRequest): Promise<Checked> {
  const { provider, prefix, environment, isPublic, timeoutMs, now } = request;
  const setUp = readSetUp(provider, prefix, environment, isPublic);
  const path = `/auth/${provider.name}/callback`;
  const name = variableOf(prefix, 'callbackURL');
  const form = checkCallbackUrl(setUp.callbackURL, name, path);
  if (form.some(({ verdict }) => verdict === 'wrong')) setUp.callbackURL = undefined;
  const asking = new Asking(provider, timeoutMs, now);
  try {
    const asked = await askProvider(setUp, asking, environment);
    const findings = [...setUp.findings, ...form, ...asked];
    const readables = findings.map((one) => readable(one, setUp));
    return { setUp, findings: readables, agent: asking.agent };
  } finally {
    asking.close();
  }
}

async function askProvider(
  setUp: SetUp,
  asking: Asking,
  environment: Environment,
): Promise<Finding[]> {
  const { provider, settings } = setUp;
  if (settings === undefined) return [skipped('reachable', 'The provider', 'an option is wrong')];
  const { endpoints } = settings.context;
  const { findings, origins } = await checkReachable(setUp, endpoints, asking, environment);
  const isThere = (url = '') => url !== '' && origins.has(new URL(url).origin);
  if (isThere(endpoints.issuer))
    findings.push(...(await checkDiscovery(provider, endpoints, asking)));
  if (isThere(endpoints.jwksUri)) findings.push(...(await checkKeys(provider, endpoints, asking)));
  findings.push(...(await askAboutClient(setUp, asking, isThere)));
  const clock = checkClock(asking.clocks, settings.clockToleranceSeconds);
  const first = findings.findIndex(({ part }) => part !== 'reachable');
  return findings.toSpliced(first === -1 ? findings.length : first, 0, clock);
}

async function askAboutClient(
  setUp: SetUp,
  asking: Asking,
  isThere: (url?: string) => boolean,
): Promise<Finding[]> {
  const { settings, hasClient } = setUp;
  const client = 'The client id and the client secret';
  if (!hasClient) return [skipped('client', client, 'a variable is missing')];
  const { authorizationEndpoint, tokenEndpoint } = settings?.context.endpoints ?? {};
  const { findings, knowsClient, isUnclear }: Authorization = isThere(authorizationEndpoint)
    ? await checkAuthorization(setUp, asking)
    : { findings: [] };
  const pair = isThere(tokenEndpoint)
    ? await checkClientPair(setUp, asking, knowsClient)
    : skipped('client', client, 'the token endpoint cannot be asked');
  const unclear = isUnclear ? [clarify(setUp, pair.verdict === 'right')] : [];
  // Both endpoints may tell the same.
  const others = findings.filter(({ says }) => says !== pair.says);
  return [...others, ...unclear, pair];
}

function skipped(part: Part, subject: string, because: string): Finding {
  return findingsOf(part).unknown(`${subject} cannot be checked: ${because}.`);
}

function readable(finding: Finding, setUp: SetUp): Finding {
  const { mend } = finding;
  return mend === undefined ? finding : { ...finding, mend: withVariables(mend, setUp) };
}
