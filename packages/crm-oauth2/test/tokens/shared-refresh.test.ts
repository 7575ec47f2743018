/** `userTokens` when the provider answers a refresh late: the answer counts all the same. */
import { expect } from 'chai';
import { HINTS } from '../../dist/errors/codes';
import { SharedRefresh } from '../../dist/tokens/shared-refresh';
import { pause, rejection, useRealSockets } from '../support';
import { FOREVER, HOUR, TIMEOUT, World, atAnotherTime, skipping } from './support';

/** The age of an hour's token that is no longer fresh, and still usable for three minutes. */
const SOON = HOUR - 200_000;

describe('userTokens — a slow provider', () => {
  useRealSockets();

  let world: World;
  let answer: () => void;
  const asked = () => world.provider.asked;
  beforeEach(async () => {
    world = await World.make();
    const answered = new Promise<void>((resolve) => (answer = resolve));
    world.provider.meanwhile = () => answered;
  });

  it('timeout — the caller is told in time, and the tokens that come later are stored', async () => {
    await world.keep(2 * HOUR);
    const { tokens } = world.process();
    const began = performance.now();
    const error = await rejection(tokens.getAccessToken());
    expect(performance.now() - began).to.be.within(TIMEOUT - 1, TIMEOUT + 1000);
    expect(error).to.include({
      code: 'timeout',
      stage: 'refresh',
      host: new URL(world.provider.origin).host,
      hint: HINTS['refresh.timeout'],
    });
    expect(world.backing.locks, 'the refresh goes on').to.equal(1);
    const late = tokens.getAccessToken();
    answer();
    expect(await late).to.equal('access-1');
    expect(await world.process().tokens.getAccessToken()).to.equal('access-1');
    expect(asked()).to.deep.equal(['refresh-0']);
    expect(world.backing.locks).to.equal(0);
  });

  it('timeout — the tokens are stored also when no caller is left', async () => {
    await world.keep(2 * HOUR);
    const { tokens } = world.process();
    await rejection(tokens.getAccessToken());
    answer();
    while (world.backing.locks > 0) await pause(1);
    expect((await world.kept()).tokens.refreshToken).to.equal('refresh-1');
  });

  it('timeout — every caller of the process waits no longer than the timeout', async () => {
    await world.keep(2 * HOUR);
    const { tokens } = world.process();
    for (let call = 0; call < 2; call += 1) {
      const all = [tokens.getAccessToken(), tokens.getTokens()].map(rejection);
      for (const error of await Promise.all(all)) expect(error).to.have.property('code', 'timeout');
    }
    expect(await rejection(tokens.refresh())).to.have.property('code', 'timeout');
    expect(asked()).to.have.length(1);
    answer();
  });

  it('timeout — meanwhile a usable token is returned at once', async () => {
    await world.keep(SOON);
    const { tokens, store } = world.process();
    expect(await tokens.getAccessToken()).to.equal('access-0');
    store.faults.lock = FOREVER;
    const began = performance.now();
    expect(await tokens.getAccessToken()).to.equal('access-0');
    expect(performance.now() - began).to.be.below(TIMEOUT);
    answer();
    while (world.backing.locks > 0) await pause(1);
    expect(await tokens.getAccessToken()).to.equal('access-1');
  });

  it('timeout — tokens that ended on their way are stored, and refreshed', async () => {
    await world.keep(2 * HOUR);
    const { tokens } = world.process();
    await rejection(tokens.getAccessToken());
    const late = tokens.getAccessToken();
    const token = await atAnotherTime(2 * HOUR, async () => {
      answer();
      return await late;
    });
    expect(token).to.equal('access-2');
    expect(asked()).to.deep.equal(['refresh-0', 'refresh-1']);
  });

  it('timeout — an answer that never comes is given up when the lock ends', async () => {
    await world.keep(2 * HOUR);
    const { tokens, store } = world.process();
    await skipping(async (skip) => {
      store.faults.set = async (work) => {
        // Of the lock's five seconds and the timeout, little is left.
        if (asked().length === 0) skip(4900);
        return await work();
      };
      await rejection(tokens.getAccessToken());
      expect(await rejection(tokens.getAccessToken())).to.have.property('code', 'timeout');
    });
    expect((await world.kept()).refresh).to.equal('unknown');
    answer();
  });
});

describe('a shared refresh', () => {
  it('is not late before the provider is asked', async () => {
    const shared = new SharedRefresh(5, async () => {
      await pause(50);
      return 'tokens';
    });
    expect(await shared.join()).to.equal('tokens');
  });

  it('is not late once the answer has come, however long it takes to store the tokens', async () => {
    const shared = new SharedRefresh<string>(5, async (self) => {
      const answer = await self.awaitAnswer(Promise.resolve('tokens'));
      await pause(50);
      return answer;
    });
    expect(await shared.join()).to.equal('tokens');
    expect(shared.isLate).to.equal(false);
  });
});
