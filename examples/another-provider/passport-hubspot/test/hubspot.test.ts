/** The checks of every provider on HubSpot's documented answers, and the token in its path. */
import { equal, match } from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { providerChecks } from 'crm-oauth2/testing';
import { hubspot } from '../dist/index';
import { ANSWER, CLIENT, DEAD, TOKEN, TOKENS } from './sample';

describe('HubSpot', () => {
  const checks = providerChecks(hubspot, {
    options: CLIENT,
    tokenResponse: () => TOKENS,
    profileAnswer: ANSWER,
    profile: { id: '62515/123', displayName: 'zoe@example.com' },
    deadRefreshToken: { status: 400, body: DEAD },
  });
  for (const { title, run } of checks) it(title, run);

  it('hubspot — the token of the path is in no event, error or debug output', () => {
    const env = { ...process.env, NODE_DEBUG: 'crm-oauth2' };
    const login = require.resolve('./watched-login');
    const { stdout, stderr } = spawnSync(process.execPath, [login], { encoding: 'utf8', env });
    match(stdout, /id: '62515\/123'/);
    match(stdout, /code: 'reauthorization_required'/);
    match(stdout, /unknown path/);
    match(stdout, /event: 'request'/);
    match(stderr, /CRM-OAUTH2 \d+:/);
    equal((stdout + stderr).includes(TOKEN), false);
  });
});
