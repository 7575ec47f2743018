import { inspect } from 'node:util';
import { expect } from 'chai';
import { requireStateStore } from '../../dist/passport/state-store';
import { thrown } from '../support';

const noop = () => {};

describe('state store', () => {
  it('has begin and take', () => {
    const store = { begin: noop, take: () => 'state_unknown' as const };
    expect(requireStateStore('Acme', store)).to.equal(store);
  });

  it('of passport-oauth2’s own form is refused with the reason', () => {
    const error: unknown = thrown(() => requireStateStore('Acme', { store: noop, verify: noop }));
    expect(error).to.be.instanceOf(TypeError);
    expect((error as Error).message).to.include('store/verify form of passport-oauth2');
  });

  for (const store of [
    null,
    7,
    {},
    { begin: noop },
    { take: noop },
    { store: noop },
    { verify: noop },
    'text',
  ]) {
    it(`is nothing else: ${inspect(store)}`, () => {
      const error: unknown = thrown(() => requireStateStore('Acme', store));
      expect(error).to.be.instanceOf(TypeError);
      expect((error as Error).message).to.match(/^Acme: option "store" must have the methods/);
    });
  }
});
