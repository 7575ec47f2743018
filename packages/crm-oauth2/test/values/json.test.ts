/** How the JSON of a provider is told apart and read. */
import { expect } from 'chai';
import {
  deepFrozen,
  isJsonObject,
  isTooDeep,
  ownField,
  ownFields,
  text,
  wholeNumber,
  withoutUndefined,
} from '../../dist/values/json';

describe('json', () => {
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

  it('freezes a value with all that it holds, and gives it back', () => {
    const value = { list: [{ inner: {} }], nothing: null, text: 'x', count: 7 };
    expect(deepFrozen(value)).to.equal(value);
    for (const part of [value, value.list, value.list[0], value.list[0]?.inner]) {
      expect(part).to.be.frozen;
    }
    expect([null, undefined, 'x', 7].map(deepFrozen)).to.deep.equal([null, undefined, 'x', 7]);
  });

  describe('nests at most a hundred levels:', () => {
    const nested = (levels: number, [open, close]: readonly [string, string]): unknown =>
      JSON.parse(`${open.repeat(levels)}1${close.repeat(levels)}`);
    for (const [title, brackets] of [
      ['lists', ['[', ']']],
      ['objects', ['{"a":', '}']],
      ['lists beside other values', ['[1,"x",null,', ']']],
    ] as const) {
      it(title, () => {
        expect(isTooDeep(nested(100, brackets))).to.equal(false);
        expect(isTooDeep(nested(101, brackets))).to.equal(true);
        expect(isTooDeep(nested(100_000, brackets))).to.equal(true);
      });
    }

    it('a value that is neither has none', () => {
      expect([null, 1, 'x', true, undefined].map(isTooDeep)).not.to.include(true);
    });
  });

  it('reads a text that is not empty', () => {
    expect(['a', '', 7, null, undefined, ['a']].map(text)).to.deep.equal([
      'a',
      undefined,
      undefined,
      undefined,
      undefined,
      undefined,
    ]);
  });

  it('reads a whole number of at most 15 digits', () => {
    const digits = '9'.repeat(15);
    expect(['0', '42', digits].map(wholeNumber)).to.deep.equal([0, 42, 999_999_999_999_999]);
    for (const value of [undefined, '', '-1', '1.5', '1e3', ' 1', '1 ', 'x1', `${digits}9`]) {
      expect(wholeNumber(value), value).to.equal(undefined);
    }
  });

  it('copies the fields of an object without those that it inherits', () => {
    const copy = ownFields(Object.assign(Object.create({ inherited: 1 }) as object, { own: 2 }));
    expect(copy).to.deep.equal({ own: 2 });
    expect('toString' in copy).to.equal(false);
    expect('toString' in ownFields({})).to.equal(false);
  });

  it('copies several objects into one, of which a later field wins, and nothing is inherited', () => {
    const first = { a: 1, b: 2 };
    const inheriting = Object.assign(Object.create({ a: 9 }) as { a?: number }, {});
    const copy = ownFields<{ a?: number; b?: number; c?: number }>(
      first,
      undefined,
      inheriting,
      { b: 3 },
      { c: 4 },
    );
    expect(copy).to.deep.equal({ a: 1, b: 3, c: 4 });
    expect(Object.keys(copy)).to.deep.equal(['a', 'b', 'c']);
    expect('toString' in copy).to.equal(false);
    expect(first).to.deep.equal({ a: 1, b: 2 });
  });

  it('CWE-1321 — reads one field of an object, and none that it inherits', () => {
    const fields = Object.assign(Object.create({ inherited: 1 }) as { inherited: number }, {
      own: 2,
    });
    expect(ownField(fields, 'own')).to.equal(2);
    expect(ownField(fields, 'inherited')).to.equal(undefined);
    expect(ownField({}, 'toString' as never)).to.equal(undefined);
  });

  it('CWE-1321 — copies a field called __proto__ as a field, never as the prototype', () => {
    const fields = JSON.parse('{"__proto__":{"instance_url":"https://evil.test"},"a":1}') as object;
    for (const copy of [withoutUndefined(fields), ownFields(fields)]) {
      expect(Object.keys(copy)).to.deep.equal(['__proto__', 'a']);
      expect(copy).not.to.have.nested.property('instance_url');
      expect(Reflect.get(copy, 'instance_url')).to.equal(undefined);
    }
    expect(Object.getPrototypeOf(withoutUndefined(fields))).to.equal(Object.prototype);
  });

  it('leaves out the fields that are undefined, and keeps all others', () => {
    const fields = { a: undefined, b: null, c: false, d: '', e: 0 };
    expect(Object.keys(withoutUndefined(fields))).to.deep.equal(['b', 'c', 'd', 'e']);
    expect(Object.keys(fields)).to.have.lengthOf(5);
  });
});
