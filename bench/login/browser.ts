/** Browsers and the provider's pages, with as little work as HTTP allows. */
import net from 'node:net';
import type { CodeDetails } from './provider';

interface Answer {
  status: number;
  location: string | undefined;
  cookies: string[];
  body: string;
}

/** A login that waits for its callback. */
export interface Begun {
  /** The number of the person. */
  n: string;
  code: string;
  /** The path of the callback, with its query. */
  back: string;
  cookie: string;
}

interface Waiting {
  resolve: (answer: Answer) => void;
  reject: (error: Error) => void;
}

/** One kept connection to the app, with one request at a time. */
export class Connection {
  readonly #socket: net.Socket;
  #text = '';
  #waiting: Waiting | undefined;

  constructor(port: number) {
    this.#socket = net.connect({ port, host: '127.0.0.1', noDelay: true });
    this.#socket.setEncoding('latin1');
    this.#socket.on('data', (text) => this.#read(String(text)));
    this.#socket.on('error', (error) => this.#waiting?.reject(error));
    this.#socket.on('close', () => this.#waiting?.reject(new Error('the app hung up')));
  }

  #read(text: string): void {
    this.#text += text;
    const end = this.#text.indexOf('\r\n\r\n');
    if (end === -1) return;
    const head = this.#text.slice(0, end);
    const length = Number(/\r\ncontent-length: (\d+)/i.exec(head)?.[1] ?? 0);
    if (this.#text.length < end + 4 + length) return;
    const body = this.#text.slice(end + 4);
    this.#text = '';
    const waiting = this.#waiting;
    this.#waiting = undefined;
    waiting?.resolve({
      status: Number(head.slice(9, 12)),
      location: /\r\nlocation: (.*)/i.exec(head)?.[1],
      cookies: [...head.matchAll(/\r\nset-cookie: ([^;\r]*)/gi)].map(([, cookie = '']) => cookie),
      body,
    });
  }

  async get(path: string, cookie?: string): Promise<Answer> {
    return await new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject };
      if (this.#socket.destroyed) reject(new Error('the app has hung up'));
      const line = cookie ? `Cookie: ${cookie}\r\n` : '';
      this.#socket.write(`GET ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\n${line}\r\n`);
    });
  }

  close(): void {
    this.#socket.destroy();
  }
}

let people = 100_000_000_000;

/** Does the work of the provider's pages: makes a code for the request in the URL, and the callback. */
function authorize(location: string): Omit<Begun, 'cookie'> {
  const { origin, pathname, searchParams: asked } = new URL(location);
  people += 1;
  const details: CodeDetails = {
    n: String(people),
    challenge: asked.get('code_challenge') ?? undefined,
    nonce: asked.get('nonce') ?? undefined,
    clientID: asked.get('client_id') ?? '',
    openid: (asked.get('scope') ?? '').includes('openid'),
    origin,
    isSalesforce: pathname.startsWith('/services/'),
  };
  const code = `${people}.${Buffer.from(JSON.stringify(details)).toString('base64url')}`;
  const state = asked.get('state');
  const query = `code=${code}${state === null ? '' : `&state=${encodeURIComponent(state)}`}`;
  const callback = new URL(asked.get('redirect_uri') ?? '');
  return { n: details.n, code, back: `${callback.pathname}?${query}` };
}

/** Sends a person away to the provider. */
export async function start(
  connection: Connection,
  mount: number | string,
  cookie = '',
): Promise<Begun> {
  const { status, location, cookies, body } = await connection.get(`/${mount}/login`, cookie);
  if (status !== 302 || location === undefined) {
    throw new Error(`the start answers ${status}: ${body}`);
  }
  return { ...authorize(location), cookie: cookies.join('; ') || cookie };
}

/** Brings the person back, and checks that it is the same person. */
export async function finish(
  connection: Connection,
  mount: number,
  { n, back, cookie }: Begun,
): Promise<void> {
  let answer = await connection.get(back, cookie);
  const { cookies } = answer;
  // A middleware that redirects when it is done shows the person on the next page.
  if (answer.status === 302) answer = await connection.get(`/${mount}/`, cookies.join('; '));
  if (answer.status !== 200 || !answer.body.includes(n)) {
    throw new Error(`the callback answers ${answer.status}: ${answer.body}`);
  }
}

/** Calls `act` with each index below `count`, `concurrency` at a time, each with its connection. */
export async function each(
  connections: readonly Connection[],
  count: number,
  act: (connection: Connection, index: number) => Promise<void>,
): Promise<void> {
  let next = 0;
  await Promise.all(
    connections.map(async (connection) => {
      while (next < count) {
        const index = next;
        next += 1;
        await act(connection, index);
      }
    }),
  );
}
