/** Keeps connections open between requests, and opens them in advance. */
import * as http from 'node:http';
import * as https from 'node:https';
import { isIP } from 'node:net';
import type { Socket, TcpSocketConnectOpts } from 'node:net';

export type Agent = http.Agent;

/** The server at the other end, in the form of an agent's options. */
type Server = Pick<https.RequestOptions, 'host' | 'port' | 'servername'>;

/** Closes a connection that was opened in advance and not used. Servers give up after a minute. */
const UNUSED_LIFETIME_MS = 50_000;

/** Closes an idle connection this long before the provider does. */
const CLOSE_EARLY_MS = 1000;

/** Hosts that count as asked before. A provider may have one host for each organization. */
const MAX_ASKED_HOSTS = 100;

/** Connections that were idle before their first request, so that the provider may have closed them. */
const openedInAdvance = new WeakSet<object>();

export function wasOpenedInAdvance(socket: object | null): boolean {
  return openedInAdvance.has(Object(socket) as object);
}

/** How long a connection may be idle, in milliseconds, where the provider announces it. */
const idleLimitMs = new WeakMap<object, number>();

/**
 * Notes the announcement `Keep-Alive: timeout=5`. A server may close an idle connection at any time
 * (RFC 9112 §9.5); many announce the time.
 */
export function noteIdleLimit({ headers, socket }: http.IncomingMessage): void {
  const seconds = /\btimeout=(\d{1,6})/.exec(String(headers['keep-alive']))?.[1];
  if (seconds === undefined) return;
  idleLimitMs.set(socket, Math.max(0, Number(seconds) * 1000 - CLOSE_EARLY_MS));
}

/** Closes the connections that wait for a request; busy ones stay open. */
export function closeIdleConnections({ freeSockets }: Agent): void {
  for (const sockets of Object.values(freeSockets)) {
    for (const socket of sockets ?? []) socket.destroy();
  }
}

/** The connections of one client, opened in advance or by a request. */
export class Connections {
  readonly #byProtocol = new Map<string, ProtocolConnections>();

  /** @param protocol `http:` or `https:` */
  agent(protocol: string): Agent {
    return this.#of(protocol).agent;
  }

  /**
   * Opens a connection to a host that was asked before, unless one is open. It returns at once, and a
   * failure is left for the next request to report.
   */
  open(url: URL): void {
    const port = Number(url.port) || (url.protocol === 'https:' ? 443 : 80);
    this.#of(url.protocol).open({ host: url.hostname.replace(/[[\]]/g, ''), port });
  }

  /** Closes idle connections now, and busy ones after their answers. The client may still be used. */
  close(): void {
    for (const connections of this.#byProtocol.values()) connections.close();
    this.#byProtocol.clear();
  }

  #of(protocol: string): ProtocolConnections {
    const connections = this.#byProtocol.get(protocol) ?? new ProtocolConnections(protocol);
    this.#byProtocol.set(protocol, connections);
    return connections;
  }
}

/**
 * The connections of one protocol: those of its agent, and those opened in advance, by host and port.
 *
 * A new connection over TLS costs three round trips, during which the person waits for the page.
 * Therefore a login opens one when it starts, while the person is away at the provider, and the
 * callback finds it ready. At most one is opened per host, and only when none is open, so that a flood
 * of started logins does not become a flood of connections. The host must have been asked before:
 * where a test or a proxy answers in its place, it receives no unexpected connection.
 */
class ProtocolConnections {
  readonly agent: Agent;
  readonly #connect: (server: Server) => Socket;
  readonly #unused = new Map<string, { socket: Socket; discard: () => void }>();
  readonly #askedHosts = new Set<string>();

  constructor(protocol: string) {
    const { Agent } = protocol === 'https:' ? https : http;
    this.agent = new Agent({ keepAlive: true });
    // Node itself heeds the announcement only when the agent sets a time limit for every request.
    const keep = this.agent.keepSocketAlive.bind(this.agent);
    this.agent.keepSocketAlive = (socket: Socket) => {
      keep(socket);
      const limit = idleLimitMs.get(socket);
      if (limit !== undefined) socket.setTimeout(limit);
      return limit !== 0;
    };
    const connect = this.agent.createConnection.bind(this.agent);
    this.#connect = (server) => connect(server) as Socket;
    this.agent.createConnection = (server, callback) => {
      this.#rememberAsked(hostAndPort(server));
      return this.#takeUnused(server) ?? connect(server, callback);
    };
  }

  open(server: Server & { host: string }): void {
    const name = hostAndPort(server);
    if (!this.#askedHosts.has(name) || this.#unused.has(name) || this.#hasConnection(name)) return;
    // The options that the agent itself would pass. It keeps TLS sessions under the name it makes of them.
    const options: Server & Pick<TcpSocketConnectOpts, 'noDelay' | 'keepAlive'> = {
      ...server,
      noDelay: true,
      keepAlive: true,
      servername: isIP(server.host) === 0 ? server.host : '',
    };
    const socket = this.#connect(
      Object.assign(options, { _agentKey: this.agent.getName(options) }),
    );
    const discard = () => {
      this.#unused.delete(name);
      socket.destroy();
    };
    this.#unused.set(name, { socket, discard });
    // An error here fails no login. The next request opens a connection itself, and reports the error.
    socket
      .on('error', discard)
      .on('close', discard)
      .setTimeout(UNUSED_LIFETIME_MS, discard)
      .unref();
  }

  close(): void {
    // Requests under way are answered first: an answer may hold the only copy of a refresh token.
    this.agent.maxFreeSockets = 0;
    closeIdleConnections(this.agent);
    for (const { discard } of this.#unused.values()) discard();
  }

  /** True when the agent has a connection to this host, idle or busy. */
  #hasConnection(name: string): boolean {
    const { freeSockets, sockets } = this.agent;
    const keys = [...Object.keys(freeSockets), ...Object.keys(sockets)];
    return keys.some((key) => key.startsWith(`${name}:`));
  }

  #takeUnused(server: Server): Socket | undefined {
    const name = hostAndPort(server);
    const unused = this.#unused.get(name);
    if (!unused) return undefined;
    this.#unused.delete(name);
    const { socket, discard } = unused;
    // The server has closed it, or has sent something unasked (408), which must not become the answer.
    if (!socket.writable || socket.readableLength > 0) {
      socket.destroy();
      return undefined;
    }
    openedInAdvance.add(socket);
    // The listeners for `error` and `close` may stay: while this socket lives, `open` opens no other
    // one under its name.
    return socket.off('timeout', discard).setTimeout(0).ref();
  }

  #rememberAsked(name: string): void {
    // The latest stands last, so that the token endpoint's host outlasts those of organizations.
    this.#askedHosts.delete(name);
    for (const oldest of this.#askedHosts) {
      if (this.#askedHosts.size < MAX_ASKED_HOSTS) break;
      this.#askedHosts.delete(oldest);
    }
    this.#askedHosts.add(name);
  }
}

function hostAndPort({ host, port }: Server): string {
  return `${host}:${port}`;
}
