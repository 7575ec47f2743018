/** Salesforce's signature of the token response. */
import { createHmac, timingSafeEqual } from 'node:crypto';
import { Problem } from 'crm-oauth2/provider';
import type { JsonObject } from 'crm-oauth2/provider';

/**
 * `signature` of the token response: Base64(HMAC-SHA256(consumer secret, id + issued_at)) over the
 * two strings exactly as received. It vouches for `id`, not for the tokens or `instance_url`.
 *
 * `issued_at` counts milliseconds and comes as a string; as a number it would not be what was
 * signed.
 *
 * @throws {Problem} `signature_missing`, `signature_mismatch`
 * @see https://help.salesforce.com/s/articleView?id=xcloud.remoteaccess_oauth_web_server_flow.htm
 */
export function checkSignature(response: Readonly<JsonObject>, consumerSecret: string): void {
  const { id, issued_at: issuedAt, signature } = response;
  if (typeof id !== 'string' || typeof issuedAt !== 'string' || typeof signature !== 'string') {
    throw new Problem('signature_missing', 'the token response is not signed');
  }
  const expected = createHmac('sha256', consumerSecret)
    .update(id + issuedAt, 'utf8')
    .digest();
  const received = Buffer.from(signature, 'base64');
  if (received.length !== expected.length || !timingSafeEqual(received, expected)) {
    throw new Problem('signature_mismatch', 'the signature of the token response is wrong');
  }
}
