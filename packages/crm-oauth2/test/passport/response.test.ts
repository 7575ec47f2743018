import { expect } from 'chai';
import { isResponse, responseOf } from '../../dist/passport/response';
import { request } from './support';

/** The response of `node:http`, as far as it is used. */
function nodeResponse() {
  const headers = new Map<string, unknown>();
  return {
    getHeader: (name: string) => headers.get(name.toLowerCase()),
    setHeader: (name: string, value: unknown) => headers.set(name.toLowerCase(), value),
  };
}

describe('response', () => {
  it('isResponse — takes a response that can be read and written alone', () => {
    expect(isResponse(nodeResponse())).to.be.true;
    const { getHeader, setHeader } = nodeResponse();
    for (const wrong of [{ getHeader }, { setHeader }, undefined, null, 'text']) {
      expect(isResponse(wrong)).to.be.false;
    }
  });

  it("responseOf — takes Node's response, given or of the request", () => {
    const res = nodeResponse();
    expect(responseOf(request({ res }))).to.equal(res);
    const other = nodeResponse();
    expect(responseOf(request({ res }), other)).to.equal(other);
  });

  it('responseOf — takes what Koa has: the context, and its response', () => {
    const res = nodeResponse();
    expect(responseOf(request({}), { res, set: () => undefined })).to.equal(res);
    expect(responseOf(request({}), { res: {} })).to.equal(undefined);
  });

  it('responseOf — goes around the stand-in of koa-passport, whose headers cannot be read', () => {
    const res = nodeResponse();
    const standIn = { setHeader: () => undefined };
    expect(responseOf(request({ res: standIn, ctx: { res } }))).to.equal(res);
    expect(responseOf(request({ res: standIn, ctx: { res: standIn } }))).to.equal(undefined);
    expect(responseOf(request({ res: standIn }))).to.equal(undefined);
  });

  it('responseOf — writes the headers of a reply of Fastify, and none twice', () => {
    const headers = new Map<string, unknown[]>();
    const reply = {
      raw: nodeResponse(),
      getHeader: (name: string) => headers.get(name),
      // Fastify adds cookies to those that are there.
      header: (name: string, value: unknown) =>
        headers.set(name, [...(headers.get(name) ?? []), value].flat()),
      removeHeader: (name: string) => headers.delete(name),
    };
    const response = responseOf(request({}), reply);
    reply.header('set-cookie', 'session=1');
    const earlier = response?.getHeader('set-cookie') as string[];
    response?.setHeader('set-cookie', [...earlier, 'login=2']);
    expect(headers.get('set-cookie')).to.deep.equal(['session=1', 'login=2']);
    expect(reply.raw.getHeader('set-cookie')).to.equal(undefined);
  });

  it('responseOf — finds nothing in a part of a reply, or without a response', () => {
    const noop = () => undefined;
    for (const part of [
      { getHeader: noop, header: noop },
      { getHeader: noop, removeHeader: noop },
      { header: noop, removeHeader: noop },
      null,
      undefined,
    ]) {
      expect(responseOf(request({}), part)).to.equal(undefined);
    }
  });
});
