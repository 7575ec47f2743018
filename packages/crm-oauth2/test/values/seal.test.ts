import { expect } from 'chai';
import { Seal } from '../../dist/values/seal';
import { thrown } from '../support';

const OLD = 'an old secret of at least 32 characters';
const NEW = 'a new secret of at least 32 characters!';
const seal = (secrets: unknown, purpose = 'tests') => new Seal('Owner', secrets, purpose);

describe('seal', () => {
  it('opens a sealed object, and never seals one the same way twice', async () => {
    const content = { text: 'Zoë 雪 \0', list: [1, null, { deep: true }], empty: '' };
    const [one, two] = [await seal([OLD]).seal(content), await seal([OLD]).seal(content)];
    expect(one).not.to.equal(two);
    expect(await seal([OLD]).open(one)).to.deep.equal(content);
    expect(await seal([OLD]).open(two)).to.deep.equal(content);
  });

  it('RFC 7516 §7.1, RFC 7518 §4.5 — is a compact JWE: dir, A256GCM, and nothing else', async () => {
    const [header = '', key, ...rest] = (await seal([OLD]).seal({})).split('.');
    expect(JSON.parse(Buffer.from(header, 'base64url').toString())).to.deep.equal({
      alg: 'dir',
      enc: 'A256GCM',
    });
    expect(key).to.equal('');
    expect(rest).to.have.length(3);
  });

  it('rotation — the first secret seals, all of them open', async () => {
    const before = await seal([OLD]).seal({ n: 1 });
    const after = await seal([NEW, OLD]).seal({ n: 2 });
    expect(await seal([NEW, OLD]).open(before)).to.deep.equal({ n: 1 });
    expect(await seal([OLD, NEW]).open(after)).to.deep.equal({ n: 2 });
    expect(await seal([NEW]).open(after)).to.deep.equal({ n: 2 });
    expect(await seal([OLD]).open(after)).to.equal(undefined);
    expect(await seal([NEW]).open(before)).to.equal(undefined);
  });

  it('purpose — an object sealed for one does not open for another', async () => {
    const sealed = await seal([OLD], 'pending logins').seal({});
    expect(await seal([OLD], 'pending logins').open(sealed)).to.deep.equal({});
    expect(await seal([OLD], 'stored tokens').open(sealed)).to.equal(undefined);
  });

  it('refuses every text that differs in one character, and every shorter one', async () => {
    const sealed = await seal([OLD]).seal({ n: 1 });
    for (let at = 0; at < sealed.length; at += 1) {
      const before = sealed.slice(0, at);
      // A and Q differ in their first bits: the last bits of a part may mean nothing.
      const changed = before + (sealed[at] === 'A' ? 'Q' : 'A') + sealed.slice(at + 1);
      expect(await seal([OLD]).open(changed), changed).to.equal(undefined);
      expect(await seal([OLD]).open(before), before).to.equal(undefined);
    }
  });

  for (const garbage of ['', '.', '....', 'garbage', '{}', 'null', '\0', 'a.b.c.d.e']) {
    it(`refuses ${JSON.stringify(garbage)}`, async () => {
      expect(await seal([OLD]).open(garbage)).to.equal(undefined);
    });
  }

  it('refuses a JWE of another algorithm, and one whose content is not an object', async () => {
    const { CompactEncrypt, base64url } = await import('jose');
    const { hkdfSync } = await import('node:crypto');
    const key = new Uint8Array(hkdfSync('sha256', OLD, '', 'crm-oauth2 tests', 32));
    const jwe = async (text: string, alg: string, enc: string) =>
      await new CompactEncrypt(Buffer.from(text)).setProtectedHeader({ alg, enc }).encrypt(key);
    expect(await seal([OLD]).open(await jwe('{}', 'dir', 'A256GCM'))).to.deep.equal({});
    for (const sealed of [
      await jwe('{}', 'A256KW', 'A256GCM'),
      await jwe('{}', 'A256GCMKW', 'A256GCM'),
      await jwe('{}', 'dir', 'A128CBC-HS256'),
      await jwe('[]', 'dir', 'A256GCM'),
      await jwe('null', 'dir', 'A256GCM'),
      await jwe('not JSON', 'dir', 'A256GCM'),
      `${base64url.encode('{"alg":"none"}')}....`,
    ]) {
      expect(await seal([OLD]).open(sealed), sealed).to.equal(undefined);
    }
  });

  for (const secrets of [
    undefined,
    OLD,
    [],
    [''],
    ['x'.repeat(31)],
    [OLD, 'short'],
    [OLD, undefined],
    [Buffer.alloc(32)],
  ]) {
    it(`secrets — must be strings of at least 32 characters: ${JSON.stringify(secrets)}`, () => {
      const error = thrown(() => seal(secrets));
      expect(error).to.be.instanceOf(TypeError);
      expect(error.message).to.equal(
        'Owner: option "secrets" must be an array of strings of at least 32 characters',
      );
    });
  }

  it('secrets — 32 characters are enough', async () => {
    const sealed = await seal(['x'.repeat(32)]).seal({});
    expect(await seal(['x'.repeat(32)]).open(sealed)).to.deep.equal({});
    expect(await seal(['x'.repeat(33)]).open(sealed)).to.equal(undefined);
  });
});
