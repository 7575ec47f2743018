/** The proxy that the environment names, and whether a login would use it. */
import { globalAgent as httpAgent } from 'node:http';
import { globalAgent as httpsAgent } from 'node:https';
import type { Agent } from '../wire/http';
import type { Environment } from './variables';

/** The variables that name a proxy for https and for http. */
const VARIABLES = ['HTTPS_PROXY', 'https_proxy', 'HTTP_PROXY', 'http_proxy'];

/** The variable that names a proxy, if one does. Its value may hold a password. */
export function proxyVariable(environment: Environment): string | undefined {
  return VARIABLES.find((name) => Boolean(environment[name]));
}

/** Node gives its own agents the proxy of the environment, under NODE_USE_ENV_PROXY=1 (22.21, 24.5). */
export function proxyAgent(url: URL): Agent | undefined {
  const agent = url.protocol === 'https:' ? httpsAgent : httpAgent;
  const { proxyEnv } = Reflect.get(agent, 'options') as { proxyEnv?: object };
  return proxyEnv && agent;
}

/** The remedy when a host is not reached directly, and the environment names a proxy. */
export function proxyRemedy(variable: string): string {
  return `${variable} names a proxy, which a login does not use by itself. Pass the strategy an \`agent\` that does: \`require('node:https').globalAgent\` with NODE_USE_ENV_PROXY=1 (Node 22.21, 24.5 and later), or an agent of https-proxy-agent.`;
}
