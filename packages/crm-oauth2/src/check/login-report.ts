/** The redacted report of one login: names of fields, kinds of values, hosts and lifetimes. */
import type { OAuth2Client } from '../client';
import type { LoggedIn } from './login';
import type { TokenSet } from '../protocol/token-set';
import { text as textOf } from '../values/json';
import type { JsonObject } from '../values/json';
import { shapeOf, shownHost } from './shape';
import type { Disclosure, Row } from './shape';

export interface LoginReport {
  /** Title of the provider. */
  provider: string;
  package: string;
  node: string;
  /** The day, in UTC. */
  date: string;
  /** The hosts of the endpoints. */
  hosts: readonly string[];
  facts: readonly Row[];
  /** The fields of each answer, by its name. */
  answers: Readonly<Record<string, readonly Row[]>>;
}

/** @param secrets further values that must not be shown */
export function describeLogin(
  client: OAuth2Client,
  { callback, tokens, profile, took }: LoggedIn,
  about: { package: string; now: number; secrets: readonly (string | undefined)[] },
): LoginReport {
  const { provider, endpoints } = client;
  const { accessToken, refreshToken, idToken, response, claims } = tokens;
  const usual = Object.values(provider.endpoints({})).filter((url) => typeof url === 'string');
  const disclosure: Disclosure = {
    secrets: [...about.secrets, accessToken, refreshToken, idToken, callback.code, client.clientID],
    knownHosts: [...new Set(usual.filter((url) => URL.canParse(url)).map(hostOf))],
  };
  const shape = (value: unknown) => shapeOf(value, disclosure);
  const urls = Object.values(endpoints).filter((url) => typeof url === 'string');
  const { _raw, _json: answer, ...mapped } = profile;
  const answers = {
    'Parameters of the callback': shape(callback),
    'Token response': shape(response),
    ...(idToken !== undefined && { 'Header of the ID Token': shape(headerOf(idToken)) }),
    ...(claims !== undefined && { 'Claims of the ID Token': shape(claims) }),
    'Answer that the profile is made of': shape(answer),
    'Profile as the strategy gives it': shape(mapped),
  };
  return {
    provider: provider.title,
    package: about.package,
    node: process.version,
    date: new Date(about.now).toISOString().slice(0, 10),
    hosts: [...new Set(urls.map((url) => shownHost(hostOf(url), disclosure)))],
    facts: factsOf(client, { callback, tokens, profile, took }, about.now),
    answers,
  };
}

const hostOf = (url: string) => new URL(url).host;

function factsOf(client: OAuth2Client, { tokens, took }: LoggedIn, now: number): Row[] {
  const { expiresAt, refreshToken, response } = tokens;
  const seconds = expiresAt === undefined ? undefined : Math.round((expiresAt - now) / 1000);
  const assumed = 'expires_in' in response ? '' : ' (assumed: the response does not say)';
  return [
    ['Access token', seconds === undefined ? 'no lifetime' : `${seconds} seconds left${assumed}`],
    ['Refresh token', refreshToken === undefined ? 'none' : 'came'],
    ['ID Token', idTokenFact(client, tokens)],
    ['Granted scopes', scopeFact(client.scopes(), tokens.scope)],
    ['From the answer to the profile', `${took} ms`],
  ];
}

function idTokenFact({ provider }: OAuth2Client, { idToken, claims }: TokenSet): string {
  if (idToken === undefined || claims === undefined) return `none (${provider.idToken})`;
  const { iat = Number.NaN, exp = Number.NaN } = claims;
  return `verified, ${textOf(headerOf(idToken).alg)}, ${exp - iat} seconds from iat to exp`;
}

function scopeFact(asked: readonly string[], scope: string | undefined): string {
  if (scope === undefined) return 'not named';
  if (asked.length === 0) return 'named; none were asked for';
  const [wanted, granted] = [asked, scope.split(' ')].map((list) => list.toSorted().join(' '));
  return wanted === granted ? 'those asked for' : 'not those asked for';
}

/** Of a token that was verified. */
function headerOf(idToken: string): JsonObject {
  const [header = ''] = idToken.split('.');
  return JSON.parse(Buffer.from(header, 'base64url').toString()) as JsonObject;
}

/** Markdown to paste into docs/verified-against.md. */
export function asMarkdown(report: LoginReport): string {
  const { provider, date, hosts, facts, answers } = report;
  const table = (head: string, rows: readonly Row[]) =>
    [
      `| ${head} | |`,
      '| --- | --- |',
      ...rows.map((row) => `| ${row.map(cell).join(' | ')} |`),
    ].join('\n');
  return [
    `### ${provider}, ${date}`,
    `${report.package}, Node ${report.node}. Hosts: ${hosts.join(', ')}.`,
    table('Fact', facts),
    ...Object.entries(answers).map(([name, rows]) => table(name, rows)),
  ].join('\n\n');
}

const cell = (text: string) => text.replaceAll('|', '\\|');
