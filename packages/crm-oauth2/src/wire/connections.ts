/**
 * Connections, kept as long as the provider keeps them, and opened ahead.
 *
 * Over TLS a new connection costs three round trips, between the person and the page. So a login that
 * starts opens one while the person is away at the provider, and the callback finds it ready: at most
 * one per host, only when there is none, so that a flood of starts opens no flood of connections, and
 * only to a host that a request has gone to before: where tests or proxies answer in its place, nobody
 * is called behind their back.
 */
import * as http from 'node:http';
import * as https from 'node:https';
import { isIP } from 'node:net';
import type { Socket, TcpSocketConnectOpts } from 'node:net';

export type Agent = http.Agent;

/** Where a connection leads, as an agent's options have it. */
type Target = Pick<https.RequestOptions, 'host' | 'port' | 'servername'>;

/**
 * An opened connection that nobody takes, or that is never established, is closed after this: servers
 * give up on a connection without a request after a minute.
 */
const OPENED_LIFETIME = 50_000;

/** Those that were opened ahead: as with any kept one, the provider may close them as we write. */
const openedAhead = new WeakSet<object>();

/** Whether a connection has waited for its first request. */
export function wasOpenedAhead(socket: object | null): boolean {
  return openedAhead.has(Object(socket) as object);
}

/** Idle connections end this long before the provider has announced to close them. */
const BEFORE_THE_PROVIDER = 1000;

/** Milliseconds that a connection may be idle, where the provider says so. */
const mayBeIdle = new WeakMap<object, number>();

/** Takes note of `Keep-Alive: timeout=5`: a server may close when it likes (RFC 9112 §9.5), many say when. */
export function heedKeepAlive({ headers, socket }: http.IncomingMessage): void {
  const announced = /\btimeout=(\d{1,6})/.exec(String(headers['keep-alive']));
  if (!announced) return;
  mayBeIdle.set(socket, Math.max(0, Number(announced[1]) * 1000 - BEFORE_THE_PROVIDER));
}

/** Ends the connections that wait for a request; those in use stay. */
export function closeIdle({ freeSockets }: Agent): void {
  for (const sockets of Object.values(freeSockets)) {
    for (const socket of sockets ?? []) socket.destroy();
  }
}

/** Hosts that are remembered as asked: the organizations of a provider may have one each. */
const MAX_ASKED = 100;

/** The connections of one protocol: an agent, and what was opened ahead of it, by host and port. */
class Kept {
  readonly agent: Agent;
  readonly #connect: (target: Target) => Socket;
  readonly #opened = new Map<string, { socket: Socket; drop: () => void }>();
  readonly #asked = new Set<string>();

  constructor(protocol: string) {
    const { Agent } = protocol === 'https:' ? https : http;
    this.agent = new Agent({ keepAlive: true });
    // Node itself looks at the announcement only under a time limit for every request.
    const keep = this.agent.keepSocketAlive.bind(this.agent);
    this.agent.keepSocketAlive = (socket: Socket) => {
      keep(socket);
      const idle = mayBeIdle.get(socket);
      if (idle !== undefined) socket.setTimeout(idle);
      return idle !== 0;
    };
    const connect = this.agent.createConnection.bind(this.agent);
    this.#connect = (target) => connect(target) as Socket;
    this.agent.createConnection = (target, callback) => {
      this.#remember(nameOf(target));
      return this.#take(target) ?? connect(target, callback);
    };
  }

  open(target: Target & { host: string }): void {
    const name = nameOf(target);
    const { freeSockets, sockets } = this.agent;
    const isThere = [...Object.keys(freeSockets), ...Object.keys(sockets)].some((key) =>
      key.startsWith(`${name}:`),
    );
    if (isThere || this.#opened.has(name) || !this.#asked.has(name)) return;
    // As the agent itself would, which also keeps the TLS sessions, by this name.
    const options: Target & Pick<TcpSocketConnectOpts, 'noDelay' | 'keepAlive'> = {
      ...target,
      noDelay: true,
      keepAlive: true,
      servername: isIP(target.host) === 0 ? target.host : '',
    };
    const socket = this.#connect(
      Object.assign(options, { _agentKey: this.agent.getName(options) }),
    );
    const drop = () => {
      this.#opened.delete(name);
      socket.destroy();
    };
    this.#opened.set(name, { socket, drop });
    // No login fails because of it: who needs a connection opens one, and meets the error then.
    socket.on('error', drop).on('close', drop).setTimeout(OPENED_LIFETIME, drop).unref();
  }

  #take(target: Target): Socket | undefined {
    const name = nameOf(target);
    const opened = this.#opened.get(name);
    if (!opened) return undefined;
    this.#opened.delete(name);
    const { socket, drop } = opened;
    // Closed meanwhile, or even answered without being asked (408): what lies there is no answer to us.
    if (!socket.writable || socket.readableLength > 0) {
      socket.destroy();
      return undefined;
    }
    openedAhead.add(socket);
    // Its other listeners may stay: as long as it lives, no other one is opened under its name.
    return socket.off('timeout', drop).setTimeout(0).ref();
  }

  #remember(name: string): void {
    // The latest last: the token endpoint's host stays, however many organizations there are.
    this.#asked.delete(name);
    for (const oldest of this.#asked) {
      if (this.#asked.size < MAX_ASKED) break;
      this.#asked.delete(oldest);
    }
    this.#asked.add(name);
  }

  close(): void {
    // What is under way is answered first, perhaps with the only copy of a refresh token.
    this.agent.maxFreeSockets = 0;
    closeIdle(this.agent);
    for (const { drop } of this.#opened.values()) drop();
  }
}

function nameOf({ host, port }: Target): string {
  return `${host}:${port}`;
}

/** The connections of one client. */
export class Connections {
  readonly #kept = new Map<string, Kept>();

  /** The agent for a protocol: `http:` or `https:`. */
  agent(protocol: string): Agent {
    return this.#for(protocol).agent;
  }

  /** Opens a connection to a host that was asked before, unless there is one. Neither waits nor fails. */
  open(url: URL): void {
    const port = Number(url.port) || (url.protocol === 'https:' ? 443 : 80);
    this.#for(url.protocol).open({ host: url.hostname.replace(/[[\]]/g, ''), port });
  }

  /** Closes what is idle, and the rest after its answer; the client may still be used. */
  close(): void {
    for (const kept of this.#kept.values()) kept.close();
    this.#kept.clear();
  }

  #for(protocol: string): Kept {
    const kept = this.#kept.get(protocol) ?? new Kept(protocol);
    this.#kept.set(protocol, kept);
    return kept;
  }
}
