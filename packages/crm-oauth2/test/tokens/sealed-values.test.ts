import { expect } from 'chai';
import { SealedValues } from '../../dist/index';
import { Seal } from '../../dist/values/seal';
import { rejection, thrown } from '../support';

const OLD = 'an old secret of at least 32 characters';
const NEW = 'a new secret of at least 32 characters!';
const KEY = '["salesloft","client","48201"]';

async function expectCorrupt(values: SealedValues, key: string, sealed: string) {
  const error = await rejection(values.open(key, sealed));
  expect(error).to.include({
    name: 'Problem',
    code: 'store_corrupt',
    message: 'the stored value was not sealed for this key',
  });
}

describe('sealed values', () => {
  const values = new SealedValues([OLD]);

  for (const value of ['', 'token', 'Zoë 雪 \0\u001F', 'x'.repeat(64 * 1024)]) {
    it(`opens a value of ${value.length} characters as it was`, async () => {
      expect(await values.open(KEY, await values.seal(KEY, value))).to.equal(value);
    });
  }

  it('decrypts a value once, however often it is read', async () => {
    const own = new SealedValues([OLD]);
    const first = await own.seal(KEY, 'first');
    const second = await own.seal(KEY, 'second');
    const { open } = Seal.prototype;
    let decrypted = 0;
    Seal.prototype.open = async function (this: Seal, value: string) {
      decrypted += 1;
      return await open.call(this, value);
    };
    try {
      const read = [first, first, second, second, first];
      const opened: string[] = [];
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      for (const sealed of read) opened.push(await own.open(KEY, sealed));
      expect(opened).to.deep.equal(['first', 'first', 'second', 'second', 'first']);
      expect(decrypted).to.equal(3);
    } finally {
      Seal.prototype.open = open;
    }
  });

  it('shows neither key nor value, and never the same twice', async () => {
    const sealed = await values.seal(KEY, 'the-token');
    const seen = [
      sealed,
      ...sealed.split('.').map((part) => Buffer.from(part, 'base64url')),
    ].join();
    for (const text of ['the-token', '48201', 'salesloft']) expect(seen).not.to.include(text);
    expect(await values.seal(KEY, 'the-token')).not.to.equal(sealed);
  });

  it('refuses a value under another key', async () => {
    const sealed = await values.seal(KEY, 'token');
    for (const key of ['', `${KEY} `, KEY.toUpperCase(), values.nameOf(KEY)]) {
      await expectCorrupt(values, key, sealed);
    }
  });

  it('refuses a text that is cut off, changed, or not a JWE', async () => {
    const sealed = await values.seal(KEY, 'token');
    for (const text of ['', 'garbage', '{"accessToken":"a"}', sealed.slice(0, -1), `${sealed}A`]) {
      await expectCorrupt(values, KEY, text);
    }
  });

  it('refuses a value that was sealed for another purpose', async () => {
    const content = { key: KEY, value: 'token' };
    const own = await new Seal('tests', [OLD], 'stored tokens').seal(content);
    expect(await values.open(KEY, own)).to.equal('token');
    await expectCorrupt(values, KEY, await new Seal('tests', [OLD], 'logins').seal(content));
  });

  it('refuses a value that is not a text', async () => {
    const seal = new Seal('tests', [OLD], 'stored tokens');
    for (const content of [{ key: KEY }, { key: KEY, value: 1 }, { value: 'token' }, {}]) {
      await expectCorrupt(values, KEY, await seal.seal(content));
    }
  });

  it('rotation — behind, then in front, then alone: every machine reads meanwhile', async () => {
    const steps = [[OLD], [OLD, NEW], [NEW, OLD], [NEW]].map(
      (secrets) => new SealedValues(secrets),
    );
    const sealed = await Promise.all(steps.map((step) => step.seal(KEY, 'token')));
    const opens = (reader: SealedValues, text: string) =>
      reader.open(KEY, text).catch(({ code }: { code: string }) => code);
    const table = steps.map((reader) => Promise.all(sealed.map((text) => opens(reader, text))));
    const [yes, no] = ['token', 'store_corrupt'];
    expect(await Promise.all(table)).to.deep.equal([
      [yes, yes, no, no],
      [yes, yes, yes, yes],
      [yes, yes, yes, yes],
      [no, no, yes, yes],
    ]);
  });

  it('names — are hashes, the same for every secret, and differ by key', () => {
    const name = values.nameOf(KEY);
    expect(name).to.match(/^[\w-]{43}$/);
    expect(new SealedValues([NEW]).nameOf(KEY)).to.equal(name);
    expect(values.nameOf(`${KEY} `)).not.to.equal(name);
    // Another name would lose the tokens of every person.
    expect(values.nameOf('key')).to.equal('nEG_cq5YS7biep3rbOZ2A1jL9v4BWmsrdiZnvCIFwDM');
  });

  it('secrets — of fewer than 32 characters, or none, are a TypeError', () => {
    for (const secrets of [[], ['short'], [OLD, 'x'.repeat(31)]]) {
      const error = thrown(() => new SealedValues(secrets));
      expect(error).to.be.instanceOf(TypeError);
      expect(error.message).to.match(/^SealedValues: option "secrets" must be an array of strings/);
    }
  });
});
