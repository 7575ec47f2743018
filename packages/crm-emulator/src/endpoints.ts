/** A provider's table of endpoints, from which its routes, start page, metadata and steps for faults follow. */
import type { EngineRequest } from './engine-request.js';
import type { Reply } from './reply.js';
import type { Step } from './types.js';

export interface RouteContext {
  request: EngineRequest;
  method: string;
  url: URL;
  /** The values of the path's parameters, from index 1. */
  match: RegExpExecArray;
}

export type Handler = (context: RouteContext) => Reply | Promise<Reply>;

/**
 * One endpoint. A row without a name is not on the start page; the engine answers a row without a handler.
 * In the path `:name` is a parameter, `{…}` may be left out, and `*` is anything. The first match counts.
 */
export type EndpointRow = readonly [
  name: string,
  methods: string,
  path: string,
  steps?: Step | readonly Step[],
  handle?: Handler,
];

export interface Endpoint {
  name: string;
  methods: readonly string[];
  /** As on the start page. */
  path: string;
  pattern: RegExp;
  /** The steps, for faults, that a request belongs to. */
  steps: readonly Step[];
  handle: Handler | undefined;
}

/** The form of some parameters; any other one is letters and digits. */
const PARAMETERS: Readonly<Record<string, string>> = {
  id: String.raw`\d+`,
  number: String.raw`\d+`,
  version: String.raw`v\d+\.\d`,
};

export function endpointsOf(rows: readonly EndpointRow[]): readonly Endpoint[] {
  return rows.map(([name, methods, path, steps = [], handle]) => ({
    name,
    methods: methods.split(', '),
    path: path.replace(/\{\/\}|[{}]/g, ''),
    pattern: patternOf(path),
    steps: [steps].flat(),
    handle,
  }));
}

function patternOf(path: string): RegExp {
  const source = path
    .replaceAll('.', String.raw`\.`)
    .replaceAll('*', '.*')
    .replace(/\{(.+?)\}/g, '(?:$1)?')
    .replace(/:([a-z]+)/g, (_, name: string) => `(${PARAMETERS[name] ?? String.raw`\w+`})`);
  return new RegExp(`^${source}$`);
}

/** The path of the endpoint that a login has in each provider. */
export function pathOf(endpoints: readonly Endpoint[], step: 'authorize' | 'token'): string {
  return endpoints.find(({ steps }) => steps[0] === step)!.path;
}

/** RFC 8414 §2, and OpenID Connect: the members of the metadata that name endpoints. */
const METADATA: Readonly<Record<string, string>> = {
  Authorization: 'authorization_endpoint',
  Token: 'token_endpoint',
  Revocation: 'revocation_endpoint',
  Introspection: 'introspection_endpoint',
  UserInfo: 'userinfo_endpoint',
  Logout: 'end_session_endpoint',
  Keys: 'jwks_uri',
};

/**
 * The metadata that no provider differs in.
 *
 * @param originOf tells where an endpoint is, or undefined for one that is not published
 */
export function metadataOf(
  endpoints: readonly Endpoint[],
  originOf: (name: string) => string | undefined,
): Record<string, unknown> {
  const published = endpoints.flatMap(({ name, path }) => {
    const [member, origin] = [METADATA[name], originOf(name)];
    return member && origin ? [[member, origin + path] as const] : [];
  });
  return {
    ...Object.fromEntries(published),
    response_types_supported: ['code'],
    subject_types_supported: ['public'],
    id_token_signing_alg_values_supported: ['RS256'],
  };
}
