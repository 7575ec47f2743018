/** Each host of the provider: its name resolves, its TLS is right, and it answers. */
import { isOAuth2Error } from '../errors/oauth2-error';
import type { Endpoints } from '../provider/description';
import type { Asking } from './asking';
import { failureOf, findingsOf, isUnread } from './finding';
import type { Finding } from './finding';
import { proxyAgent, proxyRemedy, proxyVariable } from './proxy';
import { variablesOf } from './variables';
import type { Environment, SetUp } from './variables';

const { right, wrong, note } = findingsOf('reachable');

/** The codes of a host that a proxy may reach. */
const BEHIND_PROXY: readonly string[] = [
  'dns_error',
  'connection_refused',
  'connection_failed',
  'timeout',
];

/** The statuses of a gateway, or of a provider, that is down (RFC 9110 §15.6). */
const DOWN = [502, 503, 504];

/** One URL for each origin; the first that is there. None of them changes anything at the provider. */
function urlsOf(endpoints: Readonly<Endpoints>): URL[] {
  const { jwksUri, authorizationEndpoint, tokenEndpoint, userInfoEndpoint } = endpoints;
  const { revocationEndpoint, introspectionEndpoint } = endpoints;
  const all = [
    jwksUri,
    authorizationEndpoint,
    tokenEndpoint,
    userInfoEndpoint,
    revocationEndpoint,
    introspectionEndpoint,
  ];
  const urls = all.filter((url) => url !== undefined).map((url) => new URL(url));
  return urls.filter(
    ({ origin }, index) => urls.findIndex((other) => other.origin === origin) === index,
  );
}

/** @returns the findings, and the origins that answer */
export async function checkReachable(
  setUp: SetUp,
  endpoints: Readonly<Endpoints>,
  asking: Asking,
  environment: Environment,
): Promise<{ findings: Finding[]; origins: Set<string> }> {
  const findings: Finding[] = [];
  const origins = new Set<string>();
  for (const url of urlsOf(endpoints)) {
    const found = await checkHost(url, setUp, asking, environment);
    findings.push(...found);
    if (found.every(({ verdict }) => verdict !== 'wrong')) origins.add(url.origin);
  }
  return { findings, origins };
}

async function checkHost(
  url: URL,
  setUp: SetUp,
  asking: Asking,
  environment: Environment,
): Promise<Finding[]> {
  try {
    return [await answers(url, asking)];
  } catch (error) {
    const isBehind = isOAuth2Error(error) && BEHIND_PROXY.includes(error.code);
    const agent = isBehind ? proxyAgent(url) : undefined;
    if (agent) {
      asking.useAgent(agent);
      const again = await answers(url, asking).catch((failure: unknown) => failed(failure, url));
      if (again.verdict === 'wrong') return [again];
      const mend =
        "Pass `agent: require('node:https').globalAgent` to the strategy, so that logins use the proxy too.";
      return [again, note(`${url.host} is reached through the proxy only.`, { mend })];
    }
    const variable = isBehind ? proxyVariable(environment) : undefined;
    const mend = [
      settingOf(url, setUp, environment),
      variable === undefined ? undefined : proxyRemedy(variable),
    ];
    return [failed(error, url, mend.filter(Boolean).join(' '))];
  }
}

async function answers(url: URL, asking: Asking): Promise<Finding> {
  const { host, protocol } = url;
  const status = await statusOf(url, asking);
  if (status !== undefined && DOWN.includes(status)) {
    const mend =
      'Try again later. If it lasts, look for a gateway or firewall between this machine and the provider.';
    return wrong(`${host} is down: it answers ${status}.`, {
      host,
      mend,
      code: 'provider_unavailable',
    });
  }
  return right(`${host} answers${protocol === 'https:' ? ' over TLS' : ''}.`, { host });
}

async function statusOf(url: URL, asking: Asking): Promise<number | undefined> {
  try {
    return (await asking.ask('authorize', url)).status;
  } catch (error) {
    if (isUnread(error)) return undefined;
    throw error;
  }
}

function failed(error: unknown, { host }: URL, own = ''): Finding {
  const { words, rest } = failureOf(error);
  const mend = [rest.mend, own].filter(Boolean).join(' ');
  return wrong(`${host} cannot be asked: ${words}.`, { ...rest, mend });
}

/** The variable that names the host, where one does. */
function settingOf(
  { host }: URL,
  { provider, prefix }: SetUp,
  environment: Environment,
): string | undefined {
  const found = variablesOf(provider, prefix).find(({ variable }) => {
    const value = environment[variable] ?? '';
    return URL.canParse(value) && new URL(value).host === host;
  });
  return found && `${found.variable} names this host.`;
}
