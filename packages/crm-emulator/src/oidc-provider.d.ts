/** Types for the parts of oidc-provider that the emulator uses: the package ships none. */

/** Imported instead of the package's entry, which would print a notice about the Node.js release. */
declare module 'oidc-provider/lib/provider.js' {
  import type { IncomingMessage, ServerResponse } from 'node:http';

  export interface Stored {
    [field: string]: unknown;
    accountId?: string;
    clientId?: string;
    grantId?: string;
    /** Epoch seconds. */
    exp?: number;
    iat?: number;
  }

  export interface OidcContext {
    params?: Record<string, string | undefined>;
    entities: { AccessToken?: Issued; ClientCredentials?: Issued };
    requestParamOIDCScopes: Set<string>;
    requestParamScopes: Set<string>;
    resourceServers: Record<string, unknown>;
    session?: { accountId?: string };
    client?: { clientId: string };
  }

  export interface Issued {
    jti: string;
    accountId?: string;
    clientId: string;
    scope?: string;
    aud?: string;
    grantId?: string;
  }

  export interface Context {
    req: IncomingMessage;
    res: ServerResponse;
    method: string;
    path: string;
    url: string;
    querystring: string;
    headers: IncomingMessage['headers'];
    status: number;
    body: unknown;
    type: string;
    respond?: boolean;
    state: Record<string, unknown>;
    oidc?: OidcContext;
    set(name: string, value: string | string[]): void;
    remove(name: string): void;
    redirect(url: string): void;
  }

  export interface Grant {
    addOIDCScope(scope: string): void;
    addResourceScope(resource: string, scope: string): void;
    save(): Promise<string>;
  }

  export interface Interaction {
    uid: string;
    exp: number;
    returnTo: string;
    params: Record<string, string | undefined>;
    result?: unknown;
    save(ttlSeconds: number): Promise<string>;
  }

  export class Provider {
    constructor(issuer: string, configuration: Record<string, unknown>);
    use(middleware: (context: Context, next: () => Promise<void>) => unknown): this;
    callback(): (req: IncomingMessage, res: ServerResponse) => Promise<void>;
    registerResponseMode(
      name: string,
      handler: (context: Context, redirectUri: string, payload: Record<string, string>) => void,
    ): void;
    on(event: 'error', listener: (error: Error) => void): this;
    on(event: string, listener: (context: Context, error: Error) => void): this;
    Grant: new (fields: { accountId: string; clientId: string }) => Grant;
    Interaction: { find(uid: string): Promise<Interaction | undefined> };
    Client: { prototype: { redirectUriAllowed(this: { clientId: string }, uri: string): boolean } };
  }
}

declare module 'oidc-provider/lib/helpers/errors.js' {
  export class CustomOIDCProviderError extends Error {
    constructor(error: string, description: string);
  }
  export class InvalidTarget extends Error {
    constructor(description?: string);
  }
  export class InvalidClient extends Error {}
  export class InvalidGrant extends Error {}
  export class InvalidRedirectUri extends Error {}
  export class InvalidRequest extends Error {}
  export class InvalidScope extends Error {}
  export class LoginRequired extends Error {}
  export class SessionNotFound extends InvalidRequest {}
  export class UnsupportedResponseType extends Error {}
}
