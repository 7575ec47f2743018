/** The shape of an answer: no value of a person is in it. */
import { expect } from 'chai';
import { shapeOf, shownHost } from '../../dist/check/shape';

const DISCLOSURE = { secrets: ['secret-value'], knownHosts: ['login.acme.com', 'api.acme.com'] };

const kind = (value: unknown, name = 'field') =>
  (shapeOf({ [name]: value }, DISCLOSURE)[0] ?? [])[1];

describe('shape of an answer', () => {
  for (const [value, words] of [
    [null, 'null'],
    [true, 'true or false'],
    [7, 'whole number'],
    [0.5, 'number'],
    [1_790_000_000, 'whole number, as epoch seconds'],
    [1_790_000_000_000, 'whole number, as epoch milliseconds'],
    [10_000_000_000_000, 'whole number'],
    ['', 'empty text'],
    ['Suri', 'text'],
    ['Suri Vale', 'words'],
    ['suri@acme.com', 'e-mail address'],
    ['0f8fad5b-d9cb-469f-a165-70867728950e', 'UUID'],
    ['2026-11-29T10:00:00Z', 'date and time'],
    ['2026-11-29', 'date'],
    ['1790000000000', 'text of digits, as epoch milliseconds'],
    ['1790000000', 'text of digits, as epoch seconds'],
    ['123', 'text of digits'],
    ['America/New_York', 'time zone'],
    ['eyJhbGciOiJub25lIn0.eyJzdWIiOiIxIn0.sig', 'JWT'],
    [`eyJ${'a'.repeat(2000)}.b.c`, 'JWT'],
    ['a1b2c3d4e5f6a7b8', 'opaque text of at most 20 characters'],
    ['x'.repeat(41), 'opaque text of at most 50 characters'],
    ['https://login.acme.com/id/1', 'https URL at login.acme.com'],
    ['https://customer.my.acme.com/', 'https URL at *.my.acme.com'],
    ['http://127.0.0.1:4000/x', 'http URL at this machine'],
    [[], 'empty list'],
    [['a', 'b', 1], 'list of: text, whole number'],
    [{}, 'object'],
    [undefined, 'nothing'],
  ] as const) {
    it(`kind — ${JSON.stringify(value)?.slice(0, 45)} is "${words}"`, () => {
      expect(kind(value)).to.equal(words);
    });
  }

  it('kind — of a lifetime tells the seconds', () => {
    expect(kind(7200, 'expires_in')).to.equal('7200 seconds');
    expect(kind('7200', 'refresh_token_expires_in')).to.equal('text: 7200 seconds');
    expect(kind('soon', 'expires_in')).to.equal('text');
    expect(kind(7200, 'expires_info')).to.equal('whole number');
  });

  it('fields — of nested objects, and of the first entry of a list, have a path', () => {
    const answer = { data: { team: { id: 1 }, empty: {} }, emails: [{ value: 'a@acme.com' }, 5] };
    expect(shapeOf(answer, DISCLOSURE)).to.deep.equal([
      ['data.team.id', 'whole number'],
      ['data.empty', 'object'],
      ['emails[].value', 'e-mail address'],
    ]);
  });

  it('fields — five levels are shown, and a hundred of each', () => {
    const deep = { a: { b: { c: { d: { e: { f: 1 } } } } } };
    expect(shapeOf(deep, DISCLOSURE)).to.deep.equal([['a.b.c.d.e', 'object']]);
    const lists = { a: { b: { c: { d: { e: [{ f: 1 }] } } } } };
    expect(shapeOf(lists, DISCLOSURE)).to.deep.equal([['a.b.c.d.e', 'list of: object']]);
    const wide = Object.fromEntries(Array.from({ length: 103 }, (_, n) => [`f${n}`, n]));
    const rows = shapeOf(wide, DISCLOSURE);
    expect(rows).to.have.lengthOf(101);
    expect(rows.at(-1)).to.deep.equal(['(the answer)', '3 more fields']);
  });

  it('fields — an answer that is not an object has one row', () => {
    expect(shapeOf('words', DISCLOSURE)).to.deep.equal([['(the answer)', 'text']]);
    expect(shapeOf(undefined, DISCLOSURE)).to.deep.equal([['(the answer)', 'nothing']]);
  });

  for (const [name, shown] of [
    ['given_name', 'given_name'],
    ['_href', '_href'],
    ['address1', 'address1'],
    ['https://customer.example/roles', '(a name that is a URL)'],
    ['00D5e000001N20Q', '(a name of its own)'],
    ['customer 7', '(a name of its own)'],
    ['secret-value', '(a name of its own)'],
    ['a'.repeat(60), '(a name of its own)'],
  ] as const) {
    it(`names — "${name.slice(0, 30)}" is shown as "${shown}"`, () => {
      expect(shapeOf({ [name]: 1 }, DISCLOSURE)[0]?.[0]).to.equal(shown);
    });
  }

  for (const [host, shown] of [
    ['login.acme.com', 'login.acme.com'],
    ['customer.acme.com', '*.acme.com'],
    ['customer.sandbox.my.acme.com', '*.sandbox.my.acme.com'],
    ['acme.com', 'a host of another domain'],
    ['login.customer.com', 'a host of another domain'],
    ['notacme.com', 'a host of another domain'],
    ['localhost:3000', 'this machine'],
  ] as const) {
    it(`hosts — ${host} is shown as "${shown}"`, () => {
      expect(shownHost(host, DISCLOSURE)).to.equal(shown);
    });
  }

  it('a long text — is judged in a moment', () => {
    const began = performance.now();
    expect(kind(`${'a.'.repeat(300_000)}@`)).to.contain('opaque text');
    expect(performance.now() - began).to.be.below(2000);
  });
});
