/** The options of the command that change what is played. */
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { get, send } from './client.js';

const COMMAND = fileURLToPath(new URL('../bin/crm-emulator.js', import.meta.url));

/** Starts the command, and stops it after `use` has been given what it printed. */
async function withCommand(args: string[], use: (printed: string) => Promise<void>): Promise<void> {
  const child = spawn(process.execPath, [COMMAND, ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const closed = new Promise((resolve) => child.once('close', resolve));
  try {
    const printed = await new Promise<string>((resolve, reject) => {
      let text = '';
      child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk;
        if (text.includes('Stop with')) resolve(text);
      });
      child.once('close', () => reject(new Error('it ended')));
    });
    await use(printed);
  } finally {
    child.kill('SIGTERM');
    await closed;
  }
}

describe('crm-emulator: command', () => {
  it('--origins, --tolerant — print the origins, and accept credentials in a query', async function () {
    this.timeout(60_000);
    await withCommand(['--origins', '--tolerant'], async (printed) => {
      const json = /^ {2}(\{"login".+\})$/m.exec(printed)?.[1];
      const origins = JSON.parse(json ?? '{}') as Record<string, string>;
      expect(origins).to.have.all.keys('login', 'org', 'issuer', 'sandbox');
      // The strict mode refuses each parameter in this query, and says so.
      const query = 'client_id=x&client_secret=x&grant_type=refresh_token&refresh_token=x';
      const { json: refusal } = await send(`${origins['login']}/services/oauth2/token?${query}`, {
        method: 'POST',
      });
      expect(refusal).to.include({ error: 'invalid_client_id' });
      for (const origin of Object.values(origins)) {
        expect((await get(`${origin}/id/keys`)).status).to.equal(200);
      }
    });
  });
});
