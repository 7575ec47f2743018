/** The shapes in which APIs report errors, and what is read of each. */
import { expect } from 'chai';
import { pageOf, readApiError } from '../../dist/errors/api-errors';

const SECRET = 's3cret-of-a-person';

const read = (body: unknown, headers: Record<string, string> = {}) =>
  readApiError({ body: typeof body === 'string' ? body : JSON.stringify(body), headers }, [SECRET]);

describe('errors of an API', () => {
  const LOCKED = { errorCode: 'UNABLE_TO_LOCK_ROW', message: 'unable to obtain exclusive access' };
  const MISSING = {
    errorCode: 'REQUIRED_FIELD_MISSING',
    message: 'missing',
    fields: ['Name', 'X'],
  };
  const cases: [string, unknown, object, Record<string, string>?][] = [
    [
      'Salesforce REST',
      [LOCKED, MISSING],
      {
        words: 'unable to obtain exclusive access',
        code: 'UNABLE_TO_LOCK_ROW',
        errors: [
          { code: 'UNABLE_TO_LOCK_ROW', message: 'unable to obtain exclusive access' },
          { code: 'REQUIRED_FIELD_MISSING', field: 'Name, X', message: 'missing' },
        ],
      },
    ],
    [
      'Salesforce Bulk 1.0',
      { exceptionCode: 'InvalidBatch', exceptionMessage: 'Records not found' },
      { words: 'Records not found', code: 'InvalidBatch' },
    ],
    [
      'Salesforce Bulk 1.0 in XML',
      '<?xml version="1.0"?><error xmlns="http://www.force.com/2009/06/asyncapi/dataload"><exceptionCode>InvalidJob</exceptionCode><exceptionMessage>no &quot;x&quot;</exceptionMessage></error>',
      { words: 'no "x"', code: 'InvalidJob' },
    ],
    [
      'Salesforce REST in XML',
      '<Errors><Error><errorCode>A</errorCode><message>a</message></Error><Error><errorCode>B</errorCode></Error></Errors>',
      { words: 'a', code: 'A' },
    ],
    [
      'Salesforce SOAP',
      '<soapenv:Envelope><soapenv:Body><soapenv:Fault><faultcode>sf:INVALID_SESSION_ID</faultcode><faultstring>INVALID_SESSION_ID: no &quot;session&quot;</faultstring></soapenv:Fault></soapenv:Body></soapenv:Envelope>',
      { words: 'INVALID_SESSION_ID: no "session"', code: 'INVALID_SESSION_ID' },
    ],
    [
      'Salesforce SOAP with details',
      '<Fault><faultcode>UNKNOWN</faultcode><faultstring>f</faultstring><detail><sf:exceptionCode>A</sf:exceptionCode><sf:exceptionMessage>a</sf:exceptionMessage></detail></Fault>',
      { words: 'a', code: 'A' },
    ],
    ['XML without a type', ' \n<Errors><Error>a</Error></Errors>', { words: '"a"' }],
    [
      'XML, far into a long text',
      `<Errors>${' '.repeat(70_000)}<message>a</message><title>b</title></Errors>`,
      { words: 'application/xml' },
      { 'content-type': 'application/xml' },
    ],
    [
      'Salesforce composite',
      {
        compositeResponse: [
          { body: [{ errorCode: 'A', message: 'a' }], httpStatusCode: 400, referenceId: 'r' },
          { body: { id: '1' }, httpStatusCode: 200 },
        ],
      },
      { words: 'a', code: 'A', errors: [{ code: 'A', message: 'a' }] },
    ],
    [
      'Salesforce tree',
      { hasErrors: true, results: [{ errors: [{ statusCode: 'A', message: 'a', fields: [] }] }] },
      { words: 'a', code: 'A', errors: [{ code: 'A', message: 'a' }] },
    ],
    [
      'Salesforce batch',
      {
        hasErrors: true,
        results: [{ statusCode: 404, result: [{ errorCode: 'A', message: 'a' }] }],
      },
      { words: 'a', code: 'A', errors: [{ code: 'A', message: 'a' }] },
    ],
    ['Salesloft', { error: 'No Bearer Token' }, { words: 'No Bearer Token' }],
    ['Salesloft with a status', { status: 404, error: 'Not found' }, { words: 'Not found' }],
    [
      'Salesloft fields',
      { errors: { type: ['is unknown', 'is short'], name: 'is taken' } },
      {
        words: 'type: is unknown',
        errors: [
          { field: 'type', message: 'is unknown' },
          { field: 'type', message: 'is short' },
          { field: 'name', message: 'is taken' },
        ],
      },
    ],
    [
      'SalesOS',
      {
        error: {
          code: 'VALIDATION_ERROR',
          message: 'not valid',
          details: [{ field: 'email', message: 'is malformed' }],
        },
        meta: { request_id: '1' },
      },
      {
        words: 'not valid',
        code: 'VALIDATION_ERROR',
        errors: [{ field: 'email', message: 'is malformed' }],
      },
    ],
    [
      'Auth0',
      { statusCode: 400, error: 'Bad Request', message: 'why', errorCode: 'invalid_body' },
      { words: 'why', code: 'invalid_body' },
    ],
    [
      'a list of messages',
      { statusCode: 400, error: 'Bad Request', message: ['a is empty', 'b is long'] },
      { words: 'Bad Request', errors: [{ message: 'a is empty' }, { message: 'b is long' }] },
    ],
    [
      'Auth0 of old',
      { name: 'BadRequest', code: 'invalid_signup', description: 'why', statusCode: 400 },
      { words: 'why', code: 'invalid_signup' },
    ],
    [
      'RFC 6750 §3',
      { error: 'invalid_token', error_description: 'expired' },
      { words: 'expired', code: 'invalid_token' },
    ],
    [
      'RFC 6750 §3 in the header',
      '',
      { words: 'expired', code: 'invalid_token' },
      {
        'www-authenticate': 'Bearer realm="x", error="invalid_token", error_description="expired"',
      },
    ],
    [
      'RFC 6750 §3 beside other words',
      { error: 'The token is old' },
      { words: 'The token is old', code: 'invalid_token' },
      { 'www-authenticate': 'Bearer error="invalid_token", error_description="expired"' },
    ],
    [
      'RFC 9457',
      { type: 'https://acme.test/credit', title: 'No credit', detail: 'It costs 50' },
      { words: 'It costs 50' },
    ],
    [
      'RFC 9457 without a detail',
      { type: 'about:blank', title: 'No credit' },
      { words: 'No credit' },
    ],
    ['a word', 'Bad_OAuth_Token\n', { words: 'Bad_OAuth_Token', code: 'Bad_OAuth_Token' }],
    ['a text', 'upstream connect error (111)!', { words: 'upstream connect error (111)!' }],
    [
      'a web page',
      '<HTML><TITLE>Access Denied &amp; so on</TITLE>',
      { words: 'text/html "Access Denied & so on"' },
      { 'content-type': 'text/html; charset=utf-8' },
    ],
    [
      'a web page with entities in its title',
      ' <title lang="en">&lt;&GT; &quot;&apos;&#39;&#x41;&#xE9;&nbsp;&#x20AC;</title>',
      { words: `"<> "''Aé&nbsp;€"` },
    ],
    [
      'a web page without a title',
      '<body><script>let a = "<p>";</script><style>p{}</style><p title="x">Down\n for <b>a while</b></p>',
      { words: 'text/html "Down for a while"' },
      { 'content-type': 'text/html' },
    ],
    [
      'a web page whose title has an attribute',
      '<title lang="en">Down</title><p>for a while</p>',
      { words: '"Down"' },
    ],
    [
      'a web page of two paragraphs',
      '<p>Down</p><p>for a while</p>',
      { words: '"Down for a while"' },
    ],
    [
      'a web page with an empty title, and a script without an end',
      '<title> </title><p>Down</p><SCRIPT>let a;',
      { words: 'text/html "Down"' },
      { 'content-type': 'text/html' },
    ],
    ['a web page without a text', '<p><br></p>', { words: 'a/b' }, { 'content-type': 'a/b' }],
    [
      'a web page of a long type',
      '<title>a</title>',
      { words: `${'x'.repeat(60)} "a"` },
      { 'content-type': 'x'.repeat(61) },
    ],
    [
      'a code beside a field',
      [MISSING],
      {
        words: 'missing',
        code: 'REQUIRED_FIELD_MISSING',
        errors: [{ code: 'REQUIRED_FIELD_MISSING', field: 'Name, X', message: 'missing' }],
      },
    ],
    ['a text in place of a list', { result: 'a' }, { words: '' }],
    ['a broken list', '[{"message":', { words: '' }],
    [
      'a list of texts',
      { errors: ['a', 'b'] },
      { words: 'a', errors: [{ message: 'a' }, { message: 'b' }] },
    ],
    ['a number as code', { code: 190, message: 'a' }, { words: 'a', code: '190' }],
    ['a code alone', { error: { code: 'A' } }, { words: 'A', code: 'A' }],
    ['an empty inner error', { error: {}, message: 'm' }, { words: 'm' }],
    ['nothing', '', { words: '' }],
    ['null', 'null', { words: '' }],
    ['a number', '7', { words: '' }],
    ['an error of another type', { error: 7, errors: null }, { words: '7', code: '7' }],
    ['broken JSON', '{"message":', { words: '' }],
    ['a list without texts', { errors: [true, null] }, { words: '' }],
    ['nothing that is known', { a: [{ b: 1 }] }, { words: '' }],
  ];
  for (const [what, body, expected, headers] of cases) {
    it(`${what} — its code, its words and its entries are read`, () => {
      expect(read(body, headers)).to.deep.equal(expected);
    });
  }

  it('a web page — is named by its type and its title, or by one of them', () => {
    const page = '<title>Down</title>';
    expect(pageOf(page, 'text/html; charset=utf-8')).to.equal('text/html "Down"');
    expect(pageOf(page)).to.equal('"Down"');
    expect(pageOf('', 'text/html')).to.equal('text/html');
    expect(pageOf('')).to.equal('');
  });

  it('list — is read up to 20 entries, each up to 300 characters', () => {
    const { errors = [] } = read(Array.from({ length: 50 }, () => ({ message: 'x'.repeat(500) })));
    expect(errors).to.have.length(20);
    for (const { message } of errors) expect(message).to.equal(`${'x'.repeat(300)}…`);
  });

  it('depth — is bounded', () => {
    const body = `${'['.repeat(5000)}{"message":"a"}${']'.repeat(5000)}`;
    expect(read(body)).to.deep.equal({ words: '' });
  });

  for (const [place, into] of [
    ['error', (inner: object) => ({ error: inner })],
    ['details', (inner: object) => ({ details: inner })],
    ['the list of a field', (inner: object) => ({ errors: { name: [inner] } })],
  ] as const) {
    it(`depth — is bounded in ${place}`, () => {
      const nested = (levels: number) => {
        let body: object = { message: 'a' };
        for (let level = 0; level < levels; level += 1) body = into(body);
        return read(body).words;
      };
      expect(nested(2)).to.match(/^(name: )?a$/);
      expect(nested(20)).to.equal('');
    });
  }

  it('echo — of a secret is redacted in words, fields, entries, titles and codes', () => {
    for (const body of [
      [{ errorCode: SECRET, message: `bad ${SECRET}`, fields: [SECRET] }],
      { errors: { [SECRET]: [`bad ${SECRET}`] } },
      `<title>bad ${SECRET.replace('t', '&#116;')}</title>`,
      `bad ${SECRET}`,
      SECRET,
    ]) {
      const result = JSON.stringify(read(body));
      expect(result).to.contain('[redacted]').and.not.contain(SECRET);
    }
  });

  it('code — that echoes a secret leaves no word behind', () => {
    expect(read({ code: SECRET, field: 'email' }).words).to.equal('');
  });

  it('markup — of a hostile page is read in linear time', () => {
    const began = performance.now();
    read(`<title ${'<title '.repeat(200_000)}`);
    expect(performance.now() - began).to.be.below(2000);
  });
});
