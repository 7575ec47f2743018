/** Sends every request. Only this file and `connections.ts` touch the network. */
import { Problem } from '../errors/problem';
import { bareCause } from '../errors/redaction';
import http = require('node:http');
import https = require('node:https');
import { setImmediate as turn } from 'node:timers/promises';
import { addressOf } from './address';
import type { Address } from './address';
import { Connections, noteIdleTime, wasOpenedInAdvance } from './connections';
import type { Deadline } from './deadline';
import { ownOptions } from './own-options';

/** Real token and profile answers are below 20 KiB. */
export const MAX_RESPONSE_BYTES = 1024 * 1024;

/** Informational answers (1xx) before the answer; servers send one or two. */
const MAX_INFORMATIONAL = 100;

export type Agent = http.Agent;

export interface HttpRequest {
  method: 'GET' | 'POST';
  url: URL;
  headers: Readonly<http.OutgoingHttpHeaders>;
  body?: string;
  /** A POST that may be sent again: it uses up no code and no refresh token. */
  isRepeatable?: boolean;
  /** The process may exit before the answer comes. */
  isBackground?: true;
  /** Removed from the path in diagnostics. Sending does not use them. */
  secrets?: readonly (string | undefined)[];
}

export interface HttpResponse {
  status: number;
  headers: http.IncomingHttpHeaders;
  body: string;
}

/**
 * Sends requests over its own connections, which stay open between logins.
 *
 * A request ends with one answer or one {@link Problem}, before its deadline. Redirects are not
 * followed, at most {@link MAX_RESPONSE_BYTES} are read, and a failure closes the connection.
 *
 * It uses `node:https` with a keep-alive agent: the same request by global `fetch` costs several
 * times the CPU, and `fetch` takes no `agent` for a corporate proxy or a private authority.
 *
 * @param agent an `http.Agent` or `https.Agent` of the application, used for every request instead
 */
export class HttpClient {
  #agent: Agent | undefined;
  readonly #connections = new Connections();

  constructor(agent?: Agent) {
    this.#agent = agent;
  }

  /** Sends every later request through another agent, or through its own connections again. */
  useAgent(agent: Agent | undefined): void {
    this.#agent = agent;
  }

  /**
   * Opens a connection in advance, unless the application's own agent makes the connections.
   *
   * @param beside see {@link Connections.open}
   */
  open(url: URL, beside?: URL): void {
    if (!this.#agent) this.#connections.open(addressOf(url), beside && addressOf(beside));
  }

  /**
   * Waits for a connection to the host. It opens none where the application's own agent makes them.
   *
   * @throws {Problem} `timeout`, `dns_error`, `tls_error`, `connection_refused`, `connection_failed`
   */
  async connect(url: URL, deadline: Deadline): Promise<void> {
    if (this.#agent) return;
    await deadline.wait(
      this.#connections.connect(addressOf(url)).catch((error: NodeJS.ErrnoException) => {
        throw connectionProblem(error);
      }),
    );
  }

  /**
   * @throws {Problem} `timeout`, `dns_error`, `tls_error`, `connection_refused`,
   * `connection_failed`, `incomplete_response`, `response_too_large`,
   * `unexpected_content_encoding`, `agent_unusable`
   */
  async send(request: HttpRequest, deadline: Deadline): Promise<HttpResponse> {
    const address = addressOf(request.url);
    if (this.#mayMeetEnd(address)) await readNetwork();
    // Do not send after the deadline: a refresh token that was sent counts as used.
    if (deadline.remaining() === 0) throw deadline.problem();
    const agent = this.#agent ?? this.#connections.agent(address);
    try {
      return await exchange(request, agent, deadline);
    } catch (error) {
      // The provider may close an idle connection just as a request is written to it. Not every request
      // is sent again: it may have used up its code or its rotating refresh token.
      const isRepeatable = request.method === 'GET' || request.isRepeatable === true;
      if (!isRepeatable || !(error instanceof StaleConnection)) throw error;
      // The other idle connections are as old as this one. Those of the application's agent stay.
      this.#connections.closeIdle();
      return await exchange(request, agent, deadline);
    }
  }

  /** Tells whether the request may be about to take a connection whose end was not read yet. */
  #mayMeetEnd(address: Address): boolean {
    if (!this.#agent) return this.#connections.mayHaveEnded(address);
    // An agent of another make may list no connections.
    return Object.keys((this.#agent as Partial<Agent>).freeSockets ?? {}).length > 0;
  }

  /**
   * Closes the idle connections of this client, and each busy one after its answer. The
   * application's own agent stays open.
   */
  close(): void {
    this.#connections.close();
  }
}

/**
 * Waits until the event loop has read what the network holds: also the ends of connections that were
 * closed while the process was busy. The first turn may end before that, the second one does not.
 */
async function readNetwork(): Promise<void> {
  await turn();
  await turn();
}

/** A connection that had been idle failed before an answer began. */
class StaleConnection extends Problem {}

/** Sends one request and reads its answer. An exchange ends once, before its deadline; later ends are ignored. */
function exchange(request: HttpRequest, agent: Agent, deadline: Deadline): Promise<HttpResponse> {
  return new Promise((resolve, reject) => {
    const sentAt = performance.now();
    const outgoing = createRequest(request, agent);
    const timer = deadline.startTimer(() => fail(() => deadline.problem()));
    let hasEnded = false;
    const end = (settle: () => void) => {
      if (hasEnded) return;
      hasEnded = true;
      clearTimeout(timer);
      settle();
    };
    // The problem is made for the first end only: a new error records its stack, which costs time.
    const fail = (problem: () => unknown) =>
      end(() => {
        reject(problem());
        outgoing.destroy();
      });
    // The next request must find this connection free, which it is once its request is written. Over
    // TLS, Node may report that after the answer, at the end of this turn of the event loop.
    const succeed = (answer: HttpResponse) =>
      end(() => {
        if (outgoing.writableFinished) resolve(answer);
        else setImmediate(resolve, answer);
      });
    if (request.isBackground) {
      timer.unref();
      outgoing.on('socket', (socket) => socket.unref());
    }

    /** Status and headers have arrived. */
    let hasAnswerBegun = false;
    outgoing.on('response', (incoming) => {
      hasAnswerBegun = true;
      noteIdleTime(incoming, sentAt);
      readAnswer(incoming, succeed, fail);
    });
    let informational = 0;
    outgoing.on('information', () => {
      informational += 1;
      if (informational > MAX_INFORMATIONAL) fail(tooLarge);
    });
    outgoing.on('error', (error) =>
      fail(() => (hasAnswerBegun ? brokenOff(error) : connectionProblem(error, outgoing))),
    );
    // A request may close before its answer is read. From then on the answer says how it ends.
    outgoing.on('close', () => {
      if (!hasAnswerBegun) fail(brokenOff);
    });
    outgoing.end(request.body);
  });
}

function createRequest({ url, method, headers }: HttpRequest, agent: Agent): http.ClientRequest {
  try {
    // Node's own conversion of a URL costs as much as the rest of the preparation of a request.
    const { protocol, hostname, port, path } = addressOf(url);
    const options = ownOptions({ protocol, hostname, port, path, agent, method, headers });
    return (protocol === 'https:' ? https : http).request(options);
  } catch (error) {
    if (Reflect.get(Object(error), 'code') !== 'ERR_INVALID_PROTOCOL') throw error;
    const cause = bareCause(error);
    throw new Problem('agent_unusable', 'the agent cannot speak the protocol of the URL', {
      cause,
    });
  }
}

/** No coding, or what some servers write there instead of one. Their case is free (RFC 9110 §8.4.1). */
const UNCODED = /^(?:identity|utf-?8)?$/i;

function readAnswer(
  incoming: http.IncomingMessage,
  succeed: (answer: HttpResponse) => void,
  fail: (problem: () => Problem) => void,
): void {
  const { statusCode: status = 0, headers } = incoming;
  incoming.on('error', (error) => fail(() => brokenOff(error)));
  incoming.on('close', () => fail(brokenOff));
  const coding = headers['content-encoding'];
  if (coding !== undefined && !UNCODED.test(coding)) {
    // Nothing is decompressed: a small answer could unfold to gigabytes.
    fail(() => new Problem('unexpected_content_encoding', 'the answer is compressed'));
    return;
  }
  let body = '';
  let size = 0;
  // As text, because a chunk of one byte would keep the 64 KiB that it was read with.
  incoming.setEncoding('utf8').on('data', (chunk: string) => {
    size += Buffer.byteLength(chunk);
    if (size <= MAX_RESPONSE_BYTES) body += chunk;
    else fail(tooLarge);
  });
  incoming.on('end', () => {
    // An answer that is not complete is broken off when it closes.
    if (incoming.complete) succeed({ status, headers, body });
  });
}

function tooLarge(): Problem {
  return new Problem('response_too_large', `the answer exceeds ${MAX_RESPONSE_BYTES} bytes`);
}

function brokenOff(error?: Error): Problem {
  const cause = error && bareCause(error);
  const message = 'the connection was closed before the answer was whole';
  return new Problem('incomplete_response', message, { cause });
}

const TLS_ERROR = /^(ERR_TLS|ERR_SSL|CERT_|EPROTO$|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO_|HOSTNAME_)/;

/** Names the failure of a connection after the error that Node reports, before an answer has begun. */
export function connectionProblem(
  error: NodeJS.ErrnoException,
  { reusedSocket, socket }: Partial<http.ClientRequest> = {},
): Problem {
  const Kind = reusedSocket || wasOpenedInAdvance(socket) ? StaleConnection : Problem;
  // Once the TLS handshake is over, the request may have been sent.
  const isSecured = Reflect.get(Object(socket), 'secureConnecting') === false;
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
  const message = `the connection failed (${code || error.message})`;
  return new Kind('connection_failed', message, { cause });
}
