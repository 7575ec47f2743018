import { IncomingMessage } from 'node:http';

/** The largest request body that is read. */
export const BODY_LIMIT = 256 * 1024;

export type Fields = Record<string, string | string[]>;

/**
 * A request whose body was read already, and which hands the engine a form in its place: what the
 * provider accepts (JSON, say) is decided by its dialect, and the engine only knows forms.
 */
export class EngineRequest extends IncomingMessage {
  /** The body as it came. */
  readonly raw: Buffer;
  /** The body as fields, or undefined when it is neither a form nor a JSON object. */
  readonly fields: Fields | undefined;
  /** The media type of the body, in lower case and without parameters. */
  readonly mediaType: string;
  #form = '';

  constructor(original: IncomingMessage, raw: Buffer) {
    super(original.socket);
    this.method = original.method ?? 'GET';
    this.url = original.url ?? '/';
    this.headers = { ...original.headers };
    this.httpVersion = original.httpVersion;
    this.httpVersionMajor = original.httpVersionMajor;
    this.httpVersionMinor = original.httpVersionMinor;
    this.complete = true;
    this.raw = raw;
    this.mediaType = (original.headers['content-type'] ?? '')
      .split(';', 1)[0]!
      .trim()
      .toLowerCase();
    this.fields = parse(this.mediaType, raw);
    delete this.headers['content-length'];
    delete this.headers['transfer-encoding'];
  }

  /** Sets what the engine is to read. */
  setForm(fields: Fields): void {
    const form = new URLSearchParams();
    for (const [name, value] of Object.entries(fields)) {
      for (const one of [value].flat()) form.append(name, one);
    }
    this.#form = form.toString();
    this.headers['content-type'] = 'application/x-www-form-urlencoded';
    this.headers['content-length'] = String(Buffer.byteLength(this.#form));
  }

  override _read(): void {
    if (this.#form) this.push(this.#form);
    this.push(null);
  }
}

/** Reads a whole body; undefined when it is larger than the limit. */
export async function readBody(request: IncomingMessage): Promise<Buffer | undefined> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > BODY_LIMIT) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function parse(mediaType: string, raw: Buffer): Fields | undefined {
  if (mediaType === 'application/x-www-form-urlencoded') {
    const fields: Fields = {};
    for (const [name, value] of new URLSearchParams(raw.toString())) {
      const before = Object.hasOwn(fields, name) ? fields[name] : undefined;
      fields[name] = before === undefined ? value : [before, value].flat();
    }
    return fields;
  }
  if (mediaType !== 'application/json') return undefined;
  try {
    const body: unknown = JSON.parse(raw.toString());
    if (typeof body !== 'object' || body === null || Array.isArray(body)) return undefined;
    return Object.fromEntries(
      Object.entries(body)
        .filter(([, value]) => value !== undefined && value !== null)
        .map(([name, value]) => [name, typeof value === 'string' ? value : JSON.stringify(value)]),
    );
  } catch {
    return undefined;
  }
}
