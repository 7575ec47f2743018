/** Checks how a deadline counts and how it ends work, with a clock that stands still where that matters. */
import { expect } from 'chai';
import { Deadline } from '../../dist/wire/deadline';
import { loginId } from '../../dist/errors/diagnostics';
import { Problem } from '../../dist/errors/problem';
import { pause, rejection } from '../support';

function timers(): number {
  return process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
}

const never = new Promise<never>(() => {});

/** A clock that stands still until `go` is called. It is removed after each test. */
function stoppedClock(): { go(milliseconds: number): void } {
  let now = 5_000_000;
  Object.defineProperty(performance, 'now', { configurable: true, value: () => now });
  return { go: (milliseconds) => (now += milliseconds) };
}

describe('deadline', () => {
  afterEach(() => {
    // The method of the prototype comes back into force.
    Reflect.deleteProperty(performance, 'now');
  });

  it('begins with the time that it is given', () => {
    const deadline = new Deadline(60_000);
    expect(deadline.timeout).to.equal(60_000);
    expect(deadline.remaining()).to.be.within(1, 60_000);
  });

  it('has no negative time left', () => {
    expect(new Deadline(-5).remaining()).to.equal(0);
  });

  it('counts the time that is left, and the time that has passed in whole milliseconds', () => {
    const clock = stoppedClock();
    const deadline = new Deadline(1000);
    expect([deadline.elapsed(), deadline.remaining()]).to.deep.equal([0, 1000]);
    clock.go(300.25);
    expect([deadline.elapsed(), deadline.remaining()]).to.deep.equal([300, 699.75]);
    clock.go(900.5);
    expect([deadline.elapsed(), deadline.remaining()]).to.deep.equal([1201, 0]);
  });

  it('names the login it belongs to, without showing its state', () => {
    expect(new Deadline(1000, 'state-1').login).to.equal(loginId('state-1'));
    expect(new Deadline(1000, 'state-1').login).not.to.include('state-1');
    expect(new Deadline(1000).login).to.equal(undefined);
  });

  it('returns the result of the work, promise or not', async () => {
    // At once, since a login waits often for what is there already.
    expect(new Deadline(1000).wait(7)).to.equal(7);
    expect(await new Deadline(1000).wait(Promise.resolve(8))).to.equal(8);
  });

  it('passes the failure of the work on', async () => {
    const error = new Error('of the work');
    expect(await rejection(new Deadline(1000).wait(Promise.reject(error)))).to.equal(error);
  });

  it('ends work that does not end', async () => {
    const error: unknown = await rejection(new Deadline(20).wait(never));
    expect(error).to.be.instanceOf(Problem);
    expect(error).to.include({ code: 'timeout', message: 'not finished within 20 ms' });
  });

  it('lets work end that was done in time, although the process was too busy to notice', async () => {
    let resolve: ((value: number) => void) | undefined;
    const work = new Promise<number>((settle) => (resolve = settle));
    const waiting = new Deadline(20).wait(work);
    await new Promise(setImmediate);
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 50);
    // The event loop runs its timers first, then this, which is like an answer that it reads.
    setImmediate(() => resolve?.(7));
    expect(await waiting).to.equal(7);
  });

  it('fails with the code that is given', async () => {
    expect(await rejection(new Deadline(5).wait(never, 'verify_timeout'))).to.include({
      code: 'verify_timeout',
    });
  });

  it('is shared: once it is over, every further wait fails', async () => {
    const deadline = new Deadline(20);
    await rejection(deadline.wait(never));
    expect(await rejection(deadline.wait(never))).to.include({ code: 'timeout' });
  });

  it('returns finished work even after the deadline', async () => {
    expect(await new Deadline(0).wait(7)).to.equal(7);
  });

  it('leaves no timer behind', async () => {
    await pause(1);
    const before = timers();
    const value = new Deadline(60_000).wait(7);
    // A plain value starts none.
    expect(timers()).to.equal(before);
    await value;
    await rejection(new Deadline(60_000).wait(Promise.reject(new Error('x'))));
    expect(timers()).to.equal(before);
  });
});
