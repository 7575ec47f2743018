/** Keeps connections open between requests, and opens them in advance. */
import { once } from 'node:events';
import http = require('node:http');
import https = require('node:https');
import { isIP } from 'node:net';
import type { Socket } from 'node:net';
import { usualPort } from './address';
import type { Address } from './address';
import { ownOptions } from './own-options';

/** Closes a connection that is idle for so long. Servers and load balancers give up after a minute. */
const IDLE_LIFETIME_MS = 50_000;

/** Closes an idle connection this long before the time that the provider announces. */
const CLOSE_EARLY_MS = 1000;

/** How long a connection is idle before TCP asks if its other end is still there. */
const PROBE_AFTER_MS = 1000;

/** The end of a connection that was idle for less is not waited for: it may come at any time. */
const MAY_HAVE_ENDED_MS = 100;

/** Hosts that count as asked before. A provider may have one host for each organization. */
const MAX_ASKED_HOSTS = 100;

/** Idle connections that are kept, to all hosts together: each organization may have a host of its own. */
const MAX_IDLE = 256;

/** Connections that were idle before their first request, so that the provider may have closed them. */
const openedInAdvance = new WeakSet<object>();

export function wasOpenedInAdvance(socket: unknown): boolean {
  return openedInAdvance.has(Object(socket) as object);
}

/** How long a connection may be idle, in milliseconds, and since when it is, on the clock of `performance`. */
const idleTimes = new WeakMap<object, { since: number; limit: number }>();

function idleTime(socket: object): { since: number; limit: number } {
  return idleTimes.get(socket) ?? { since: performance.now(), limit: IDLE_LIFETIME_MS };
}

/**
 * Notes the announcement `Keep-Alive: timeout=5`. A server may close an idle connection at any time
 * (RFC 9112 §9.5); many announce the time.
 *
 * @param sentAt when the request was sent, on the clock of `performance`. The server counts from its
 * answer, which a busy process may read much later.
 */
export function noteIdleTime({ headers, socket }: http.IncomingMessage, sentAt: number): void {
  const announced = headers['keep-alive'];
  const seconds = announced && /\btimeout=(\d{1,6})/.exec(String(announced))?.[1];
  const limit = seconds
    ? Math.max(0, Number(seconds) * 1000 - CLOSE_EARLY_MS)
    : idleTime(socket).limit;
  idleTimes.set(socket, { since: sentAt, limit });
}

/**
 * Tells whether a connection can take a request. The time is compared here, because a busy process is
 * late with its timers.
 */
function isUsable(socket: Socket, now = performance.now()): boolean {
  const { since, limit } = idleTime(socket);
  return socket.writable && now < since + limit;
}

/** The connections of one client: those of its agents, and those opened in advance. */
export class Connections {
  readonly #agents = new Map<string, http.Agent>();
  /** Connections opened in advance, by the name that the agent gives their host. */
  readonly #unused = new Map<string, Socket>();
  /** Connections that are idle, or were: the one that became so first stands first. */
  readonly #idle = new Set<Socket>();
  /** The same names of the hosts that were asked. */
  readonly #askedHosts = new Set<string>();

  /** The agent for a request to the server. Connections that it should not use are closed. */
  agent({ protocol, server }: Address): http.Agent {
    const agent = this.#agentOf(protocol);
    this.#countKept(agent, server);
    return agent;
  }

  /**
   * Tells whether the connection for the next request has been idle for a while. It may then have ended
   * without the notice of a process that was busy.
   */
  mayHaveEnded({ protocol, server }: Address): boolean {
    const kept = this.#agentOf(protocol).freeSockets[server];
    const next = kept?.at(-1) ?? this.#unused.get(server) ?? {};
    return performance.now() - idleTime(next).since >= MAY_HAVE_ENDED_MS;
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
   *
   * @param beside a host that is asked just now: where it was reached, this one may be too
   */
  open(address: Address, beside = address): void {
    const asked = this.#askedHosts;
    if (asked.has(address.server) || asked.has(beside.server)) this.#openUnlessOpen(address);
  }

  /**
   * Waits for a connection to a host, asked before or not.
   *
   * @throws the error that Node reports of the connection
   */
  async connect(address: Address): Promise<void> {
    const socket = this.#openUnlessOpen(address);
    if (!socket || isConnected(socket)) return;
    await once(socket, address.protocol === 'https:' ? 'secureConnect' : 'connect');
  }

  /** @returns the connection that no request has used so far; nothing where another one is open */
  #openUnlessOpen(address: Address): Socket | undefined {
    const agent = this.#agentOf(address.protocol);
    const name = address.server;
    const unused = this.#unused.get(name);
    if (unused || this.#countKept(agent, name) > 0 || name in agent.sockets) return unused;
    const options = Object.assign(serverOf(address), { _agentKey: name });
    const socket = agent.createConnection(options) as Socket;
    this.#unused.set(name, socket);
    idleTimes.set(socket, { since: performance.now(), limit: IDLE_LIFETIME_MS });
    // Does nothing once a request has taken the socket.
    const discard = () => {
      if (this.#unused.get(name) !== socket) return;
      this.#unused.delete(name);
      socket.destroy();
    };
    // An error here fails no login. The next request opens a connection itself, and reports the error.
    socket.on('error', discard).on('close', discard).setTimeout(IDLE_LIFETIME_MS, discard).unref();
    return socket;
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

  #agentOf(protocol: string): http.Agent {
    const agent = this.#agents.get(protocol) ?? this.#createAgent(protocol);
    this.#agents.set(protocol, agent);
    return agent;
  }

  /** Closes the connections to the host that no request should use. @returns how many are left */
  #countKept(agent: http.Agent, name: string): number {
    const sockets = agent.freeSockets[name] ?? [];
    const longestIdle = sockets[0];
    const next = sockets.at(-1);
    if (!longestIdle || !next) return 0;
    const now = performance.now();
    if (isUsable(next, now) && (next === longestIdle || isUsable(longestIdle, now))) {
      return sockets.length;
    }
    const ended = sockets.findLastIndex((socket) => !isUsable(socket, now)) + 1;
    // Those in front have been idle for longer. The agent removes closed ones from the front only.
    for (const socket of sockets.slice(0, ended)) socket.destroy();
    return sockets.length - ended;
  }

  #createAgent(protocol: string): http.Agent {
    const { Agent } = protocol === 'https:' ? https : http;
    const agent = new Agent({ keepAlive: true });
    // Node's own name lists every option of TLS, and these agents have none that differs.
    agent.getName = ({ host, port } = {}) => `${host}:${port}`;
    // Node itself heeds the announcement only when the agent sets a time limit for every request.
    agent.keepSocketAlive = (socket: Socket) => {
      const { limit } = idleTime(socket);
      socket.setKeepAlive(true, PROBE_AFTER_MS).unref();
      // Any byte on the connection starts the time anew.
      if (socket.timeout !== limit) socket.setTimeout(limit);
      if (!isUsable(socket)) return false;
      this.#rememberIdle(socket);
      return true;
    };
    const reuse = agent.reuseSocket.bind(agent);
    agent.reuseSocket = (socket: Socket, request: http.ClientRequest) => {
      this.#idle.delete(socket);
      reuse(socket, request);
    };
    const connect = agent.createConnection.bind(agent);
    agent.createConnection = (server, callback) => {
      const name = agent.getName(server);
      this.#rememberAsked(name);
      return this.#takeUnused(name) ?? connect(server, callback);
    };
    return agent;
  }

  #rememberIdle(socket: Socket): void {
    this.#idle.add(socket);
    const [oldest = socket] = this.#idle;
    if (this.#idle.size <= MAX_IDLE) return;
    this.#idle.delete(oldest);
    oldest.destroy();
  }

  #takeUnused(name: string): Socket | undefined {
    const socket = this.#unused.get(name);
    this.#unused.delete(name);
    // The server has closed it, or has sent something unasked (408), which must not become the answer.
    if (!socket || !isUsable(socket) || socket.readableLength > 0) {
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

function isConnected(socket: Socket): boolean {
  return !socket.connecting && Reflect.get(socket, 'secureConnecting') !== true;
}

/** The options that an agent itself would pass. */
function serverOf({ protocol, hostname: host, port = usualPort(protocol) }: Address) {
  return ownOptions({
    host,
    port,
    noDelay: true,
    keepAlive: true,
    servername: isIP(host) === 0 ? host : '',
  });
}
