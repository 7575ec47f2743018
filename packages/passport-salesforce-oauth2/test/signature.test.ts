import { createHmac } from 'node:crypto';
import { expect } from 'chai';
import { Problem } from 'crm-oauth2/provider';
import type { JsonObject } from 'crm-oauth2/provider';
import { checkSignature } from '../dist/signature';

/** github.com/cangencer/salesforce-oauth2, test/tests.js */
const SECRET = 'some consumer secret';
const VECTOR = {
  id: 'https://login.salesforce.com/id/00Dd0000000dsWLEAY/005d0000000b8kWAAQ',
  issued_at: '1332093834282',
  signature: 'tDZZRHgqtJWXw1cEjyuazDNkonKuIYT2EYnJrC7zbc8=',
};

/** github.com/realdoug/omniauth-salesforce, spec/omniauth/strategies/salesforce_spec.rb */
const OMNIAUTH = {
  id: 'https://login.salesforce.com/id/00Dd0000000d45TEBQ/005d0000000fyGPCCY',
  issued_at: '1331142541514',
  signature: 'US+o9SSknqogfi9fRiX4LDLM2TYqv3/DIpUmmhV4Okw=',
};

const SENTENCES = {
  signature_missing: 'the token response is not signed',
  signature_mismatch: 'the signature of the token response is wrong',
};

function refusal(response: JsonObject, code: keyof typeof SENTENCES, secret = SECRET): void {
  expect(() => checkSignature(response, secret))
    .to.throw(Problem, new RegExp(`^${SENTENCES[code]}$`))
    .with.property('code', code);
}

describe('Salesforce signature', () => {
  it('salesforce 10.1 — accepts the published vector', () => {
    checkSignature(VECTOR, SECRET);
  });

  it("salesforce 10.2 — accepts omniauth's inputs with the value computed for them", () => {
    checkSignature(OMNIAUTH, 'Consumer Secret');
  });

  const wrong: [string, string, string][] = [
    ['1a', 'the two strings in reverse order', '6vgwMfWPeTFcPT4Z8mWSmcxpoIKe98ZLEOuDRRLLX04='],
    ['1b', 'the time in seconds', '1i6xRsvly++ZUEq25t7c8Z4B6TXngTBe8WeW6b/X7GY='],
    ['1c', 'SHA-1', 'o52RMLk6d4BLqY4LJJn1RVkp6NY='],
  ];
  for (const [number, what, signature] of wrong) {
    it(`salesforce 10.${number} — refuses a signature over ${what}`, () => {
      refusal({ ...VECTOR, signature }, 'signature_mismatch');
    });
  }

  it('salesforce 10.1b — takes seconds for another message than milliseconds', () => {
    refusal({ ...VECTOR, issued_at: '1332093834' }, 'signature_mismatch');
  });

  it('salesforce 6 — covers the id exactly as received', () => {
    const other = 'https://login.salesforce.com/id/00Dd0000000dsWLEAY/005d0000000fyGPCCY';
    refusal({ ...VECTOR, id: other }, 'signature_mismatch');
    refusal({ ...VECTOR, id: VECTOR.id.toUpperCase() }, 'signature_mismatch');
    refusal({ ...VECTOR, id: `${VECTOR.id}/` }, 'signature_mismatch');
  });

  it('salesforce 6 — cannot tell where id ends, which is why its form is checked too', () => {
    const moved = { id: VECTOR.id + '1', issued_at: '332093834282', signature: VECTOR.signature };
    checkSignature(moved, SECRET);
  });

  it('salesforce 6 — is made with the consumer secret', () => {
    refusal(VECTOR, 'signature_mismatch', 'another consumer secret');
    refusal(OMNIAUTH, 'signature_mismatch', SECRET);
  });

  it('salesforce 6 — takes the secret as UTF-8', () => {
    const secret = 'gehëim-🔑';
    const signature = createHmac('sha256', Buffer.from(secret, 'utf8'))
      .update(VECTOR.id + VECTOR.issued_at)
      .digest('base64');
    checkSignature({ ...VECTOR, signature }, secret);
  });

  const bytes = Buffer.from(VECTOR.signature, 'base64');
  const sizes: [string, Buffer][] = [
    ['empty', Buffer.alloc(0)],
    ['a byte short', bytes.subarray(0, 31)],
    ['a byte long', Buffer.concat([bytes, Buffer.alloc(1)])],
    ['its own hexadecimal form', Buffer.from(bytes.toString('hex'))],
  ];
  for (const [what, signature] of sizes) {
    it(`salesforce 6 — refuses a signature that is ${what}`, () => {
      refusal({ ...VECTOR, signature: signature.toString('base64') }, 'signature_mismatch');
    });
  }

  it('salesforce 6 — refuses a signature with one bit changed', () => {
    for (const index of [0, 15, 31]) {
      const changed = Buffer.from(bytes);
      changed.writeUInt8(changed.readUInt8(index) ^ 1, index);
      refusal({ ...VECTOR, signature: changed.toString('base64') }, 'signature_mismatch');
    }
  });

  const guards: [string, JsonObject][] = [
    ['issued_at as a number', { issued_at: 1332093834282 }],
    ['no issued_at', { issued_at: undefined }],
    ['no id', { id: undefined }],
    ['an id that is a list', { id: [VECTOR.id] }],
    ['no signature', { signature: undefined }],
    ['a signature that is null', { signature: null }],
    ['a signature that is an object', { signature: { length: 44 } }],
  ];
  for (const [what, fields] of guards) {
    it(`salesforce 6 — counts an answer with ${what} as unsigned`, () => {
      refusal({ ...VECTOR, ...fields }, 'signature_missing');
    });
  }
});
