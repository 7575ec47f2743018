/**
 * Every request of a login. It and `connections.ts` are the only files that touch the network.
 *
 * One request, one answer, or one {@link Problem}, always before the deadline: no redirect is
 * followed, no more than a mebibyte is read, text is decoded whole, and whatever goes wrong the
 * socket is closed. `node:https` and a keep-alive agent, because a request by global `fetch` costs
 * several times the CPU and takes no `agent` for corporate proxies and private authorities.
 */
import * as http from 'node:http';
import * as https from 'node:https';
import { Connections, closeIdle, heedKeepAlive, wasOpenedAhead } from './connections';
import type { Agent } from './connections';
import type { Deadline } from './deadline';
import { Problem, bareCause } from '../errors/oauth2-error';

/** Real token and profile answers are below 20 KiB; anything near this is no such answer. */
export const MAX_RESPONSE_BYTES = 1024 * 1024;

export type { Agent };

export interface HttpRequest {
  method: 'GET' | 'POST';
  url: URL;
  headers: Readonly<http.OutgoingHttpHeaders>;
  body?: string;
  /** Nobody waits for it: it keeps no process alive. */
  isAhead?: true;
}

export interface HttpResponse {
  status: number;
  headers: http.IncomingHttpHeaders;
  body: string;
}

/**
 * Sends requests over connections of its own, kept open between logins.
 *
 * @param agent an `http.Agent` or `https.Agent` of the application, used for every request instead
 */
export class HttpClient {
  readonly #agent: Agent | undefined;
  readonly #connections = new Connections();

  constructor(agent?: Agent) {
    this.#agent = agent;
  }

  /** Opens a connection ahead; an agent of the application has its own ways. */
  open(url: URL): void {
    if (!this.#agent) this.#connections.open(url);
  }

  /**
   * @throws {Problem} `timeout`, `dns_error`, `tls_error`, `connection_refused`,
   * `connection_failed`, `incomplete_response`, `response_too_large`,
   * `unexpected_content_encoding`, `agent_unusable`
   */
  async send(request: HttpRequest, deadline: Deadline): Promise<HttpResponse> {
    // What is too late is not begun: a refresh token that was sent is used up.
    if (deadline.remaining() === 0) throw deadline.problem();
    const agent = this.#agent ?? this.#connections.agent(request.url.protocol);
    try {
      return await exchange(request, agent, deadline);
    } catch (problem) {
      // A kept connection may be closed by the provider just as we write to it. Asking again is
      // safe for a GET only: a code or a rotating refresh token may already be used up.
      if (request.method === 'GET' && problem instanceof StaleConnection) {
        // The others were left alone as long as this one.
        if (agent !== this.#agent) closeIdle(agent);
        return await exchange(request, agent, deadline);
      }
      throw problem;
    }
  }

  /**
   * Closes the idle connections of this client, and the others after their answers; an agent of the
   * application is left alone.
   */
  close(): void {
    this.#connections.close();
  }
}

class StaleConnection extends Problem {}

function exchange(request: HttpRequest, agent: Agent, deadline: Deadline): Promise<HttpResponse> {
  return new Promise((resolve, reject) => {
    let outgoing: http.ClientRequest;
    try {
      const { url, method, headers } = request;
      // By hand: Node's own way from a URL costs as much as all else that is done for a request.
      outgoing = (url.protocol === 'https:' ? https : http).request({
        protocol: url.protocol,
        hostname: url.hostname.replace(/^\[|\]$/g, ''),
        port: Number(url.port) || undefined,
        path: url.pathname + url.search,
        agent,
        method,
        headers,
      });
    } catch (error) {
      const code: unknown = Reflect.get(Object(error), 'code');
      reject(
        code === 'ERR_INVALID_PROTOCOL'
          ? new Problem('agent_unusable', 'the agent cannot speak the protocol of the URL', {
              cause: bareCause(error),
            })
          : error,
      );
      return;
    }

    let finished = false;
    const finish = (act: () => void) => {
      if (finished) return;
      finished = true;
      clearTimeout(timer);
      act();
    };
    // Made only when it is needed: each answer closes in the end, and an error takes its stack.
    const fail = (problem: () => unknown) =>
      finish(() => {
        if (whole) resolve(whole);
        else reject(problem());
        outgoing.destroy();
      });
    const timer = setTimeout(() => fail(() => deadline.problem()), deadline.remaining());

    // Once an answer has begun, it says when it is whole: a request may be closed before its answer is
    // read to the end. What is whole is never lost to what happens to the connection afterwards.
    let answered = false;
    let whole: HttpResponse | undefined;
    const settle = () => {
      const answer = whole;
      if (answer) finish(() => resolve(answer));
    };
    outgoing.on('error', (error) =>
      fail(() =>
        answered
          ? brokenOff(error)
          : connectionProblem(
              error,
              outgoing.reusedSocket || wasOpenedAhead(outgoing.socket) ? StaleConnection : Problem,
              Reflect.get(Object(outgoing.socket), 'secureConnecting') === false,
            ),
      ),
    );
    outgoing.on('close', () => {
      if (!answered) fail(brokenOff);
      settle();
    });
    outgoing.on('response', (incoming) => {
      answered = true;
      heedKeepAlive(incoming);
      incoming.on('close', () => {
        if (!whole) fail(brokenOff);
      });
      const encoding = incoming.headers['content-encoding'] ?? 'identity';
      if (encoding !== 'identity') {
        // Never decompressed, so there is no bomb to go off.
        fail(() => new Problem('unexpected_content_encoding', 'the answer is compressed'));
        return;
      }
      const chunks: Buffer[] = [];
      let size = 0;
      incoming.on('data', (chunk: Buffer) => {
        size += chunk.length;
        if (size > MAX_RESPONSE_BYTES) {
          const message = `the answer exceeds ${MAX_RESPONSE_BYTES} bytes`;
          fail(() => new Problem('response_too_large', message));
        } else {
          chunks.push(chunk);
        }
      });
      incoming.on('error', (error) => fail(() => brokenOff(error)));
      incoming.on('end', () => {
        if (!incoming.complete) {
          fail(brokenOff);
          return;
        }
        // Decoded at once: a character may be split between two chunks.
        const body = Buffer.concat(chunks).toString('utf8');
        whole = { status: incoming.statusCode ?? 0, headers: incoming.headers, body };
        // A moment later the connection is free for the next request; not everything says when.
        setImmediate(settle);
      });
    });
    if (request.isAhead) {
      timer.unref();
      outgoing.on('socket', (socket) => socket.unref());
    }
    outgoing.end(request.body);
  });
}

function brokenOff(error?: Error): Problem {
  return new Problem(
    'incomplete_response',
    'the connection was closed before the answer was whole',
    {
      cause: error && bareCause(error),
    },
  );
}

const TLS_ERROR = /^(ERR_TLS|ERR_SSL|CERT_|EPROTO$|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO_|HOSTNAME_)/;

/**
 * What an error of the platform says of a connection that did not come about, or broke.
 *
 * @param isSecured the TLS handshake is over, so that the request may have gone out
 */
export function connectionProblem(
  error: NodeJS.ErrnoException,
  Kind = Problem,
  isSecured = false,
): Problem {
  const cause = bareCause(error);
  const code = error.code ?? '';
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') {
    return new Problem('dns_error', 'the host name could not be resolved', { cause });
  }
  if (TLS_ERROR.test(code) && !isSecured) {
    return new Problem('tls_error', `the TLS connection failed (${code})`, { cause });
  }
  if (code === 'ECONNREFUSED') {
    return new Problem('connection_refused', 'the connection was refused', { cause });
  }
  return new Kind('connection_failed', `the connection failed (${code || error.message})`, {
    cause,
  });
}
