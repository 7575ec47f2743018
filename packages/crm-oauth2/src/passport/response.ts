/** The response on which a store sets cookies, made of what the framework has for one. */
import { isRecord } from './request';
import type { PassportRequest, PassportResponse } from './request';

/** Node's response, a reply of Fastify (`raw`), or a context of Koa or its response (`res`). */
export type LoginResponse =
  PassportResponse | { raw: PassportResponse } | { res: PassportResponse };

/** The part of a reply of Fastify that is used. Its plugins read and write these headers, not those of `raw`. */
interface Reply {
  getHeader(name: string): number | string | string[] | undefined;
  header(name: string, value: unknown): unknown;
  removeHeader(name: string): unknown;
}

/**
 * @param given the option `response` of `authenticate`
 * @returns nothing where there is no response: `loginHandler` and Express have one on the request
 */
export function responseOf(
  req: PassportRequest,
  given: unknown = req.res,
): PassportResponse | undefined {
  if (isResponse(given)) return given;
  if (isReply(given)) return responseOfReply(given);
  if (isRecord(given) && isResponse(given.res)) return given.res;
  // The stand-in of koa-passport, whose headers cannot be read; its request has the context.
  const context: unknown = Reflect.get(req, 'ctx');
  return isRecord(context) && isResponse(context.res) ? context.res : undefined;
}

/** `true` for a response whose headers can be read and written. */
export function isResponse(value: unknown): value is PassportResponse {
  return has(value, 'getHeader') && has(value, 'setHeader');
}

function isReply(value: unknown): value is Reply {
  return ['getHeader', 'header', 'removeHeader'].every((name) => has(value, name));
}

function has(value: unknown, name: string): boolean {
  return typeof Reflect.get(Object(value) as object, name) === 'function';
}

function responseOfReply(reply: Reply): PassportResponse {
  return {
    getHeader: (name: string) => reply.getHeader(name),
    // A reply adds cookies to earlier ones, and these are among the new ones.
    setHeader: (name: string, value: unknown) => {
      reply.removeHeader(name);
      reply.header(name, value);
    },
  } as PassportResponse;
}
