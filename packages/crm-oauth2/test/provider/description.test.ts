import { expect } from 'chai';
import { defineProvider } from '../../dist/provider/description';
import { acmeDescription } from '../support';

describe('provider', () => {
  it('freezes a description and the tables in it', () => {
    const provider = defineProvider({
      ...acmeDescription,
      scope: ['read'],
      hints: { x: 'y' },
      refusals: ['z'],
      authorizationParameters: { prompt: 'prompt' },
    });
    expect(Object.isFrozen(provider)).to.equal(true);
    for (const table of [
      'options',
      'scope',
      'hints',
      'refusals',
      'authorizationParameters',
    ] as const) {
      expect(Object.isFrozen(provider[table]), table).to.equal(true);
    }
    expect(() => Object.assign(provider, { tokenRequestFormat: 'json' })).to.throw(TypeError);
    expect(() => Object.assign(provider.hints, { x: 'changed' })).to.throw(TypeError);
  });

  it('is a copy: the description itself may be reused', () => {
    const description = { ...acmeDescription };
    const provider = defineProvider(description);
    expect(provider).to.deep.equal(description);
    expect(Object.isFrozen(description)).to.equal(false);
  });
});
