/** No secret reaches a text that may end in a log: message, stack, cause, JSON, inspection, event, debug output. */
import { spawnSync } from 'node:child_process';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { expect } from 'chai';
import { driveEveryFailure } from './support/secret-failures';
import type { Failure } from './support/secret-failures';

/** The ways in which a text may spell a secret. */
function spellings(secret: string): string[] {
  return [
    secret,
    encodeURIComponent(secret),
    encodeURIComponent(secret).replaceAll('%20', '+'),
    JSON.stringify(secret).slice(1, -1),
    Buffer.from(secret).toString('base64'),
    Buffer.from(secret).toString('hex'),
  ];
}

/** Every text that an application may print of an error. */
function printed(reason: unknown): string {
  const parts: unknown[] = [
    inspect(reason, { depth: Infinity, showHidden: true }),
    JSON.stringify(reason),
    String(reason),
  ];
  for (let error = reason; error instanceof Error; error = error.cause) {
    parts.push(error.message, error.stack, JSON.stringify(error), inspect(error));
  }
  return parts.join('\n');
}

describe('secrets', function () {
  this.timeout(120_000);
  let failures: Failure[];
  let secrets: string[];
  const events: unknown[] = [];

  before(async () => {
    const listen = (event: unknown) => events.push(event);
    subscribe('crm-oauth2', listen);
    ({ failures, secrets } = await driveEveryFailure());
    unsubscribe('crm-oauth2', listen);
  });

  it('every failure is one — no login succeeded', () => {
    expect(failures.length).to.be.greaterThan(300);
    for (const { title, reason } of failures) {
      expect(inspect(reason), title).not.to.include('let in');
      expect(Reflect.get(Object(reason), 'code'), title).to.be.a('string');
    }
    expect(
      new Set(failures.map(({ reason }) => Reflect.get(Object(reason), 'code') as string)).size,
    ).to.be.greaterThan(12);
  });

  it('RFC 9700 §4.3 — are in no error: message, stack, cause, JSON, inspection', () => {
    const leaks: string[] = [];
    for (const { title, reason } of failures) {
      const text = printed(reason);
      for (const secret of secrets) {
        if (spellings(secret).some((spelling) => text.includes(spelling))) {
          leaks.push(`${title}: ${secret}`);
        }
      }
    }
    expect(leaks).to.deep.equal([]);
  });

  it('are in no event of diagnostics_channel', () => {
    const text = inspect(events, { depth: Infinity, maxArrayLength: Infinity });
    expect(events.length).to.be.greaterThan(300);
    const leaks = secrets.filter((secret) => spellings(secret).some((one) => text.includes(one)));
    expect(leaks).to.deep.equal([]);
  });

  it('are not in the output of NODE_DEBUG=crm-oauth2', () => {
    const script = `
      const { driveEveryFailure } = require(${JSON.stringify(join(__dirname, 'support', 'secret-failures.js'))});
      driveEveryFailure().then(({ failures, secrets }) => {
        for (const { reason } of failures) console.error(reason);
        console.log(JSON.stringify(secrets));
      });
    `;
    const child = spawnSync(process.execPath, ['-e', script], {
      encoding: 'utf8',
      env: { ...process.env, NODE_DEBUG: 'crm-oauth2' },
      maxBuffer: 64 * 1024 * 1024,
    });
    expect(child.status, child.stderr.slice(-2000)).to.equal(0);
    const ofTheChild = JSON.parse(child.stdout) as string[];
    expect(child.stderr).to.include('CRM-OAUTH2').and.to.include('login.ended');
    const leaks = ofTheChild.filter((secret) =>
      spellings(secret).some((one) => child.stderr.includes(one)),
    );
    expect(leaks).to.deep.equal([]);
  });
});
