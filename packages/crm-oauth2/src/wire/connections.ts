/** Keeps connections open between requests, and opens them in advance. */
import * as http from 'node:http';
import * as https from 'node:https';
import { isIP } from 'node:net';
import type { Socket } from 'node:net';

/** Closes a connection that was opened in advance and not used. Servers give up after a minute. */
const UNUSED_LIFETIME_MS = 50_000;

/** Closes an idle connection this long before the provider does. */
const CLOSE_EARLY_MS = 1000;

/** Hosts that count as asked before. A provider may have one host for each organization. */
const MAX_ASKED_HOSTS = 100;

/** Connections that were idle before their first request, so that the provider may have closed them. */
const openedInAdvance = new WeakSet<object>();

export function wasOpenedInAdvance(socket: unknown): boolean {
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

/** The connections of one client: those of its agents, and those opened in advance. */
export class Connections {
  readonly #agents = new Map<string, http.Agent>();
  /** Connections opened in advance, by the name that the agent gives their host. */
  readonly #unused = new Map<string, Socket>();
  /** The same names of the hosts that were asked. */
  readonly #askedHosts = new Set<string>();

  /** @param protocol `http:` or `https:` */
  agent(protocol: string): http.Agent {
    const agent = this.#agents.get(protocol) ?? this.#createAgent(protocol);
    this.#agents.set(protocol, agent);
    return agent;
  }

  /**
   * Opens a connection in advance. It returns at once, and a failure is left for the next request to
   * report.
   *
   * A new connection over TLS costs three round trips, during which the person waits for the page.
   * Therefore a login opens one when it starts, while the person is away at the provider, and the
   * callback finds it ready. At most one is opened per host, and only when none is open, so that a flood
   * of started logins does not become a flood of connections. The host must have been asked before:
   * where a test or a proxy answers in its place, it receives no unexpected connection.
   */
  open({ protocol, hostname, port }: URL): void {
    const agent = this.agent(protocol);
    const host = hostname.replace(/[[\]]/g, '');
    // The options that the agent itself would pass. It keeps TLS sessions under the name it makes of them.
    const options = {
      host,
      port: Number(port) || (protocol === 'https:' ? 443 : 80),
      noDelay: true,
      keepAlive: true,
      servername: isIP(host) === 0 ? host : '',
    };
    const name = agent.getName(options);
    const isOpen = this.#unused.has(name) || name in agent.freeSockets || name in agent.sockets;
    if (isOpen || !this.#askedHosts.has(name)) return;
    const socket = agent.createConnection(Object.assign(options, { _agentKey: name })) as Socket;
    this.#unused.set(name, socket);
    // Does nothing once a request has taken the socket.
    const discard = () => {
      if (this.#unused.get(name) !== socket) return;
      this.#unused.delete(name);
      socket.destroy();
    };
    // An error here fails no login. The next request opens a connection itself, and reports the error.
    socket
      .on('error', discard)
      .on('close', discard)
      .setTimeout(UNUSED_LIFETIME_MS, discard)
      .unref();
  }

  /** Closes the connections that wait for another request; busy ones stay open. */
  closeIdle(): void {
    for (const { freeSockets } of this.#agents.values()) {
      for (const socket of Object.values(freeSockets).flat()) socket?.destroy();
    }
  }

  /** Closes idle connections now, and busy ones after their answers. The client may still be used. */
  close(): void {
    // Requests under way are answered first: an answer may hold the only copy of a refresh token.
    for (const agent of this.#agents.values()) agent.maxFreeSockets = 0;
    this.closeIdle();
    for (const socket of this.#unused.values()) socket.destroy();
    this.#agents.clear();
    this.#askedHosts.clear();
  }

  #createAgent(protocol: string): http.Agent {
    const { Agent } = protocol === 'https:' ? https : http;
    const agent = new Agent({ keepAlive: true });
    // Node itself heeds the announcement only when the agent sets a time limit for every request.
    const keep = agent.keepSocketAlive.bind(agent);
    agent.keepSocketAlive = (socket: Socket) => {
      keep(socket);
      const limit = idleLimitMs.get(socket);
      if (limit !== undefined) socket.setTimeout(limit);
      return limit !== 0;
    };
    const connect = agent.createConnection.bind(agent);
    agent.createConnection = (server, callback) => {
      const name = agent.getName(server);
      this.#rememberAsked(name);
      return this.#takeUnused(name) ?? connect(server, callback);
    };
    return agent;
  }

  #takeUnused(name: string): Socket | undefined {
    const socket = this.#unused.get(name);
    this.#unused.delete(name);
    // The server has closed it, or has sent something unasked (408), which must not become the answer.
    if (!socket?.writable || socket.readableLength > 0) {
      socket?.destroy();
      return undefined;
    }
    openedInAdvance.add(socket);
    return socket.setTimeout(0).ref();
  }

  #rememberAsked(name: string): void {
    // The latest stands last, so that the token endpoint's host outlasts those of organizations.
    this.#askedHosts.delete(name);
    this.#askedHosts.add(name);
    const [oldest = name] = this.#askedHosts;
    if (this.#askedHosts.size > MAX_ASKED_HOSTS) this.#askedHosts.delete(oldest);
  }
}
