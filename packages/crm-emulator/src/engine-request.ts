/** Wraps a request whose body was read already, and gives the engine a form to read in its place. */
import { IncomingMessage } from 'node:http';
import { isObject, parseJson } from './values.js';

const BODY_LIMIT_BYTES = 256 * 1024;

export const FORM_TYPE = 'application/x-www-form-urlencoded';

export type Fields = Record<string, string | string[]>;

/**
 * The engine reads forms only. The dialect decides which bodies its provider accepts (JSON, for example),
 * and sets the form that the engine reads instead.
 */
export class EngineRequest extends IncomingMessage {
  /** The body as a JSON value, or undefined when it is not JSON. */
  readonly json: unknown;
  /** The body as fields of text, or undefined when it is neither a form nor a JSON object. */
  fields: Fields | undefined;
  /** The media type of the body, in lower case and without parameters. */
  mediaType: string;
  #form = '';

  /** @param arrivedAt the origin that received the request */
  constructor(
    original: IncomingMessage,
    body: Buffer,
    readonly arrivedAt: string,
  ) {
    super(original.socket);
    this.method = original.method ?? 'GET';
    this.url = original.url ?? '/';
    this.headers = { ...original.headers };
    this.complete = true;
    this.mediaType = (original.headers['content-type'] ?? '')
      .split(';', 1)[0]!
      .trim()
      .toLowerCase();
    this.json = this.mediaType === 'application/json' ? parseJson(body.toString()) : undefined;
    this.fields =
      this.mediaType === FORM_TYPE
        ? formFields(new URLSearchParams(body.toString()))
        : jsonFields(this.json);
    delete this.headers['content-length'];
    delete this.headers['transfer-encoding'];
  }

  /** RFC 6750 §2.1: the token of the `Authorization` header; one in the query or the body does not count. */
  get bearerToken(): string {
    return /^bearer ([\w.~+/!=-]+)$/i.exec(this.headers.authorization ?? '')?.[1] ?? '';
  }

  /** Sets the form that the engine is to read. */
  setForm(fields: Fields): void {
    const form = new URLSearchParams();
    for (const [name, value] of Object.entries(fields)) {
      for (const one of [value].flat()) form.append(name, one);
    }
    this.#form = form.toString();
    this.headers['content-type'] = FORM_TYPE;
    this.headers['content-length'] = String(Buffer.byteLength(this.#form));
  }

  override _read(): void {
    if (this.#form) this.push(this.#form);
    this.push(null);
  }
}

/** Reads a whole body; returns undefined when it is larger than the limit. */
export async function readBody(request: IncomingMessage): Promise<Buffer | undefined> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > BODY_LIMIT_BYTES) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

export function formFields(form: URLSearchParams): Fields {
  const fields: Fields = {};
  for (const [name, value] of form) {
    const before = Object.hasOwn(fields, name) ? fields[name] : undefined;
    fields[name] = before === undefined ? value : [before, value].flat();
  }
  return fields;
}

function jsonFields(json: unknown): Fields | undefined {
  if (!isObject(json)) return undefined;
  return Object.fromEntries(
    Object.entries(json)
      .filter(([, value]) => value !== undefined && value !== null)
      .map(([name, value]) => [name, typeof value === 'string' ? value : JSON.stringify(value)]),
  );
}
