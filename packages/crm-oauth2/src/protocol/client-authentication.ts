/** How the client proves who it is at the provider's endpoints (RFC 6749 §2.3). */

/** The methods by their names in OpenID Connect Core §9. */
export type ClientAuthenticationMethod = 'client_secret_post' | 'client_secret_basic' | 'none';

export interface ClientCredentials {
  /** The id of the app, from its registration at the provider. */
  clientID: string;
  /** The secret of the app. A public client has none, and relies on PKCE alone. Default: none. */
  clientSecret?: string;
}

/** The client's proof in a request: a header, or fields of its body, never the query. */
export interface ClientAuthentication {
  headers: { authorization?: string };
  fields: { client_id?: string; client_secret?: string };
  /** The values that must not appear in a message. */
  secrets: readonly (string | undefined)[];
}

/** One method at a time (RFC 6749 §2.3). A client without a secret names itself in the body. */
export function authenticateClient(
  method: ClientAuthenticationMethod,
  { clientID, clientSecret }: ClientCredentials,
): ClientAuthentication {
  if (clientSecret === undefined || method === 'none') {
    return { headers: {}, fields: { client_id: clientID }, secrets: [] };
  }
  if (method === 'client_secret_post') {
    const fields = { client_id: clientID, client_secret: clientSecret };
    return { headers: {}, fields, secrets: [clientSecret] };
  }
  // RFC 6749 §2.3.1: both halves are form-encoded before they are joined.
  const encodedSecret = formEncode(clientSecret);
  const pair = Buffer.from(`${formEncode(clientID)}:${encodedSecret}`).toString('base64');
  return {
    headers: { authorization: `Basic ${pair}` },
    fields: {},
    secrets: [clientSecret, encodedSecret, pair],
  };
}

/** One value of `application/x-www-form-urlencoded` (RFC 6749 Appendix B). */
function formEncode(value: string): string {
  return new URLSearchParams({ '': value }).toString().slice(1);
}
