import { expect } from 'chai';
import { isJsonObject, known, parseJson, text } from '../../dist/values/json';
import { thrown } from '../support';

describe('json', () => {
  for (const type of [
    'application/json',
    'application/json; charset=utf-8',
    'Application/JSON;charset=UTF-8',
    'application/jwk-set+json',
    'application/problem+json ; x=y',
  ]) {
    it(`RFC 8259 §11 — reads ${type}`, () => {
      expect(parseJson('{"a":[1]}', type)).to.deep.equal({ a: [1] });
    });
  }

  for (const type of [
    undefined,
    '',
    'text/html',
    'text/json',
    'application/jsonp',
    'xapplication/json',
  ]) {
    it(`refuses the content type ${type}`, () => {
      expect(thrown(() => parseJson('{}', type)).code).to.equal('unexpected_content_type');
    });
  }

  it('says which type came, in short', () => {
    expect(thrown(() => parseJson('', 'text/\u009b2Jx\u202e')).message).to.equal(
      'expected JSON, received text/ 2Jx',
    );
    expect(thrown(() => parseJson('', 'text/html; charset=utf-8')).message).to.equal(
      'expected JSON, received text/html',
    );
    expect(thrown(() => parseJson('', `text/${'x'.repeat(99)}`)).message.length).to.be.below(100);
    expect(thrown(() => parseJson('', undefined)).message).to.include('no content type');
  });

  for (const body of ['', '{', '<html>', "{'a':1}", 'undefined']) {
    it(`refuses ${JSON.stringify(body)}, and quotes nothing`, () => {
      const problem = thrown(() => parseJson(body, 'application/json'));
      expect(problem.code).to.equal('invalid_json');
      expect(problem.message).to.equal('the answer is not valid JSON');
      expect(problem.details.cause).to.equal(undefined);
    });
  }

  it('makes no prototype of a key called __proto__', () => {
    const json = parseJson('{"__proto__":{"admin":true}}', 'application/json');
    expect(Reflect.get(Object(json), 'admin')).to.equal(undefined);
  });

  it('tells objects from lists and null', () => {
    expect([{}, [], null, 'x', 7, undefined].map(isJsonObject)).to.deep.equal([
      true,
      false,
      false,
      false,
      false,
      false,
    ]);
  });

  it('reads a text that is not empty, or nothing', () => {
    expect(['a', '', 7, null, undefined, ['a']].map(text)).to.deep.equal([
      'a',
      undefined,
      undefined,
      undefined,
      undefined,
      undefined,
    ]);
  });

  it('leaves out what is not known, and only that', () => {
    const fields = known({ a: undefined, b: null, c: false, d: '', e: 0 });
    expect(Object.keys(fields)).to.deep.equal(['b', 'c', 'd', 'e']);
  });
});
