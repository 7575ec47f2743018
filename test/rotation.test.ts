/** A short run of `npm run prove:rotation`: workers are killed, and every refresh is accounted for. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect } from 'chai';
import { describeWithRedis } from './support/redis';

const PROVE = join(__dirname, '../bench/rotation/prove.js');
const KEYS = 40;

describeWithRedis('rotation', function () {
  // Locks of killed workers last seven seconds. The program ends by itself when it takes too long.
  this.timeout(90_000);

  it('refreshes — happen once per generation, and only a killed worker loses tokens', async () => {
    const options = ['--seconds', '6', '--workers', '4', '--keys', String(KEYS), '--rate', '100'];
    // Rejects unless it exits with 0.
    const { stdout } = await promisify(execFile)(process.execPath, [PROVE, ...options, '--json']);
    const figures = JSON.parse(stdout);
    expect(figures.wrong).to.deep.equal([]);
    // Their number depends on the machine.
    expect(figures.killed).to.be.at.least(1);
    expect(figures.keysUsed).to.be.at.least(KEYS / 2);
    expect(figures.refreshes).to.be.at.least(KEYS / 2);
    expect(figures.refreshesPerGeneration).to.equal(1);
    expect(figures.grantsLost.unexplained).to.equal(0);
    expect(figures.requests.good).to.be.at.least(figures.calls);
    expect(figures.requests.dead).to.equal(0);
    expect(figures.atTheEnd.good + figures.atTheEnd.lost).to.equal(KEYS);
  });
});
