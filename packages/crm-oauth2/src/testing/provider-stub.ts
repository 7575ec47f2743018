/** A loopback server that plays one provider, for the provider checks. */
import * as http from 'node:http';
import type { AddressInfo } from 'node:net';
import type { IdTokenAlgorithm } from '../protocol/id-token';
import { loadJose } from '../values/jose';
import type { Json, JsonObject } from '../values/json';

/** One request as the stub received it. */
export interface StubRequest {
  method: string;
  /** With its query. */
  path: string;
  headers: http.IncomingHttpHeaders;
  /** The fields of a form or of a JSON object. */
  fields: Record<string, string>;
}

/** One answer; the body is sent as JSON. */
export interface StubAnswer {
  status?: number;
  body: Json;
}

/** The answers of a stub, by the first segment of the request's path. */
export type StubAnswers = Record<string, StubAnswer>;

/** Listens on a free port of 127.0.0.1. The answers may be changed while it does. */
export async function startStub(answers: StubAnswers) {
  const requests: StubRequest[] = [];
  const receive = async (request: http.IncomingMessage, response: http.ServerResponse) => {
    const { method = '', url: path = '', headers } = request;
    const text = (await request.setEncoding('utf8').toArray()).join('');
    const fields = (
      headers['content-type'] === 'application/json'
        ? JSON.parse(text)
        : Object.fromEntries(new URLSearchParams(text))
    ) as Record<string, string>;
    requests.push({ method, path, headers, fields });
    const [, endpoint = ''] = path.split('/');
    const { status = 200, body }: StubAnswer = answers[endpoint] ?? { status: 404, body: null };
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  };
  const server = http.createServer((request, response) => void receive(request, response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const close = async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  };
  return { origin: `http://127.0.0.1:${port}`, requests, close };
}

/** A key set as an issuer publishes it, and its signature under claims. */
export interface StubKeys {
  jwks: Json;
  sign(claims: JsonObject): Promise<string>;
}

const keysByAlgorithm = new Map<IdTokenAlgorithm, Promise<StubKeys>>();

/** The keys for an algorithm, made once: an RSA key takes a second. */
export async function stubKeys(algorithm: IdTokenAlgorithm): Promise<StubKeys> {
  const keys = keysByAlgorithm.get(algorithm) ?? createKeys(algorithm);
  keysByAlgorithm.set(algorithm, keys);
  return await keys;
}

async function createKeys(algorithm: IdTokenAlgorithm): Promise<StubKeys> {
  const { SignJWT, exportJWK, generateKeyPair } = await loadJose();
  const { privateKey, publicKey } = await generateKeyPair(algorithm);
  const jwk = { ...(await exportJWK(publicKey)), kid: 'stub', alg: algorithm, use: 'sig' };
  const header = { alg: algorithm, kid: 'stub' };
  return {
    jwks: { keys: [jwk] },
    sign: async (claims: JsonObject) =>
      await new SignJWT(claims).setProtectedHeader(header).sign(privateKey),
  };
}
