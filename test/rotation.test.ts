/**
 * A short run of `npm run prove:rotation`: workers are killed, and every refresh is accounted for. Then the
 * rules by which it judges, on invented logs.
 */
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect } from 'chai';
import type * as Copy from '../bench/rotation/copy';
import { describeWithRedis } from './support/redis';

const FOLDER = join(__dirname, '../bench/dist/rotation');
const PROVE = join(FOLDER, 'prove.js');
const KEYS = 40;

const WRONG = 1;
const TOO_LITTLE = 2;
const TOO_BUSY = 3;

describeWithRedis('rotation', function () {
  // The program ends by itself when it takes too long.
  this.timeout(120_000);

  it('refreshes — happen once per generation, and only a named reason loses tokens', async () => {
    const options = ['--seconds', '4', '--workers', '4', '--keys', `${KEYS}`, '--rate', '60'];
    const run = promisify(execFile)(process.execPath, [PROVE, ...options, '--ttl', '6', '--json']);
    const { stdout } = await run.catch(
      (error: { code: number; stdout: string; stderr: string }) => {
        // A machine that is too busy proves less, and hides no loss.
        if (error.code === TOO_BUSY && error.stdout !== '') return error;
        throw new Error(`exit status ${error.code}: ${error.stdout}${error.stderr}`);
      },
    );
    if (stdout === '') return;
    const figures = JSON.parse(stdout);
    expect(figures.wrong).to.deep.equal([]);
    expect(figures.refreshesPerGeneration).to.equal(1);
    expect(figures.grantsLost.unexplained).to.equal(0);
    expect(figures.writes.late).to.equal(0);
    expect(figures.requests.dead).to.equal(0);
    expect(figures.atTheEnd.wrong).to.equal(0);
    expect(figures.refreshes).to.be.at.least(1);
    if (figures.status === TOO_BUSY) return;
    expect(figures.happened.kills).to.be.at.least(2);
    expect(figures.happened.contended).to.be.at.least(3);
    expect(figures.requests.good).to.be.at.least(figures.calls);
  });
});

describe('rotation: the mutants', () => {
  const { MUTANTS, copyLibrary } = require(join(FOLDER, 'copy.js')) as typeof Copy;

  for (const name of Object.keys(MUTANTS)) {
    it(`${name} — can be made of the library as it is built`, () => {
      const folder = mkdtempSync(join(tmpdir(), 'rotation-mutant-'));
      try {
        expect(() => copyLibrary(folder, name)).not.to.throw();
      } finally {
        rmSync(folder, { recursive: true });
      }
    });
  }
});

const { accounts } = require(join(FOLDER, 'accounts.js'));
const { Judge } = require(join(FOLDER, 'judge.js'));

const BEGAN_AT = 1_000_000;
const TIMEOUT_MS = 2000;
const LOCK_MS = 7000;
/** The lock was taken, and the request came, at the beginning; the answer left ten milliseconds later. */
const ANSWERED_AT = BEGAN_AT + 10;

/** Until it ends by itself. */
const HELD = {
  person: 1,
  askedAt: BEGAN_AT,
  grantedAt: BEGAN_AT,
  until: Infinity,
  name: 'lock',
  holder: 'holder',
  isHeld: true,
};

const journal = (more: object = {}) => ({
  lastBeat: BEGAN_AT,
  stalls: [],
  pauses: [],
  delay: { p99: 0, max: 0 },
  locks: [HELD],
  sent: new Map<string, number>(),
  stored: new Map<string, number>(),
  tokens: [],
  calls: [],
  skipped: 0,
  ...more,
});

const pair = (more: object = {}) => ({
  by: 'worker-1',
  receivedAt: BEGAN_AT,
  issuedAt: BEGAN_AT + 5,
  answeredAt: ANSWERED_AT,
  lifetime: 8000,
  usedAt: null,
  ...more,
});

/** The second time that the refresh token of the first generation came. */
const replay = (more: object = {}) => ({
  grant: 0,
  generation: 1,
  receivedAt: BEGAN_AT + LOCK_MS + 1500,
  isUsed: false,
  ...more,
});

/** One grant with two generations; `worker-1` asked for the second one, which was lost. */
function evidence(more: Record<string, unknown> = {}, own = journal(), second = pair()) {
  const grants = [{ person: 1, revokedAt: null, generations: [pair({ by: 'sign-in' }), second] }];
  const log = { grants, replays: [], faults: [], dead: [], stalls: [], delay: { p99: 0, max: 0 } };
  return {
    timeout: TIMEOUT_MS,
    lock: LOCK_MS,
    beganAt: BEGAN_AT,
    endedAt: BEGAN_AT + 60_000,
    underLoad: 0,
    locksRemovedAt: BEGAN_AT + 60_000,
    log: { ...log, accepted: 0, early: 0, stale: 0, good: 0 },
    killed: new Map<string, { at: number; endedAt: number }>(),
    killedAtMoment: 0,
    journals: new Map([['worker-1', own]]),
    outages: [],
    redisStalls: [],
    ownStalls: [],
    ownDelay: { p99: 0, max: 0 },
    isClockSet: false,
    people: { wronged: 0, again: 0 },
    atTheEnd: { good: 1, lost: 0, waiting: 0, wrong: 0, errors: {} },
    ...more,
  };
}

const killedAt = (at: number) => ({ killed: new Map([['worker-1', { at, endedAt: at + 5 }]]) });
const beating = (until: number, more: object = {}) => journal({ lastBeat: until, ...more });
const SENT = new Map([['0-1', ANSWERED_AT + 1]]);

describe('rotation: the judge', () => {
  const loss = (facts: object, again = replay()) => new Judge(facts).loss(again) as string;
  const write = (facts: object) => new Judge(facts).write(0, 1) as string;

  it('a lost grant — is explained by a kill between the answer and the write', () => {
    const at = ANSWERED_AT + 2;
    expect(loss(evidence(killedAt(at), beating(at)))).to.equal('killed');
    expect(loss(evidence(killedAt(at), beating(at, { sent: SENT })))).to.equal('killed');
  });

  it('a lost grant — is not explained by a kill long after the answer', () => {
    const at = ANSWERED_AT + 1000;
    expect(loss(evidence(killedAt(at), beating(at)))).to.equal('unexplained');
  });

  it('a lost grant — is not explained by a kill after the write had ended', () => {
    const at = ANSWERED_AT + 20;
    const stored = new Map([['0-1', ANSWERED_AT + 3]]);
    expect(loss(evidence(killedAt(at), beating(at, { stored })))).to.equal('unexplained');
  });

  it('a lost grant — is not explained when the worker lived, or the pair was in use', () => {
    expect(loss(evidence())).to.equal('unexplained');
    const at = ANSWERED_AT + 2;
    const used = replay({ isUsed: true });
    expect(loss(evidence(killedAt(at), beating(at)), used)).to.equal('unexplained');
  });

  it('a lost grant — is not explained when the lock of the killed worker had not ended', () => {
    const at = ANSWERED_AT + 2;
    const early = replay({ receivedAt: BEGAN_AT + 1500 });
    expect(loss(evidence(killedAt(at), beating(at)), early)).to.equal('unexplained');
  });

  it('a lost grant — is put down to the machine when the worker did not run', () => {
    const at = ANSWERED_AT + 1000;
    const stalls = [{ from: ANSWERED_AT, to: ANSWERED_AT + 300 }];
    expect(loss(evidence(killedAt(at), beating(at, { stalls })))).to.equal('busy');
  });

  it('a lost grant — is explained when its worker stood still under its lock', () => {
    const pauses = [{ from: BEGAN_AT - 200, to: BEGAN_AT - 100, person: 2 }];
    const locks = [{ ...HELD, askedAt: BEGAN_AT - 300, grantedAt: BEGAN_AT - 290 }];
    expect(loss(evidence({}, journal({ pauses, locks })))).to.equal('held');
    expect(loss(evidence({}, journal({ pauses })))).to.equal('unexplained');
  });

  it('a lost grant — is explained when the provider rotated and never answered', () => {
    const cut = pair({ answeredAt: null, fault: 'cut after rotation' });
    expect(loss(evidence({}, journal(), cut))).to.equal('unanswered');
  });

  it('a lock — has one holder at a time', () => {
    const after = (askedAt: number) => ({ ...HELD, askedAt, grantedAt: askedAt + 5 });
    const shared = (askedAt: number) =>
      new Judge(evidence({}, journal({ locks: [HELD, after(askedAt)] }))).sharedLocks() as number;
    expect(shared(BEGAN_AT + LOCK_MS - 100)).to.equal(1);
    expect(shared(BEGAN_AT + LOCK_MS)).to.equal(0);
  });

  it('a lost grant — is not explained by an answer after the timeout', () => {
    const late = pair({ answeredAt: BEGAN_AT + TIMEOUT_MS + 600 });
    expect(loss(evidence({}, journal(), late))).to.equal('unexplained');
    expect(write(evidence({}, journal(), late))).to.equal('late');
  });

  it('a lost grant — is put down to the machine when its lock ended meanwhile', () => {
    const outages = [{ from: BEGAN_AT + 1000, to: BEGAN_AT + 3000 }];
    expect(loss(evidence({ outages }))).to.equal('busy');
    expect(loss(evidence({ outages }), replay({ receivedAt: BEGAN_AT + 4000 }))).to.equal(
      'unexplained',
    );
  });

  it('a new pair — must be stored at once, in a process that runs', () => {
    const sent = (after: number) => ({ sent: new Map([['0-1', ANSWERED_AT + after]]) });
    expect(write(evidence({}, journal(sent(10))))).to.equal('prompt');
    expect(write(evidence({}, journal(sent(1200))))).to.equal('late');
    expect(write(evidence({}, journal()))).to.equal('late');
    const stalls = [{ from: ANSWERED_AT, to: ANSWERED_AT + 1190 }];
    expect(write(evidence({}, journal({ ...sent(1200), stalls })))).to.equal('stalled');
  });
});

describe('rotation: the exit status', () => {
  const options = { seconds: 60, workers: 8, keys: 1000, ttl: 8, rate: 100, isBrief: false };
  const status = (facts: object, more: object = {}) =>
    accounts({ ...options, ...more }, facts).status as number;
  const stored = journal({ sent: SENT });

  it('is its own — when not enough has happened', () => {
    expect(status(evidence({}, stored))).to.equal(TOO_LITTLE);
  });

  it('is its own — when the machine was too busy for it to happen', () => {
    const ownStalls = [{ from: BEGAN_AT, to: BEGAN_AT + 30_000 }];
    expect(status(evidence({ ownStalls }, stored))).to.equal(TOO_BUSY);
    // A machine that is idle would prove nothing with these options either.
    expect(status(evidence({ ownStalls }, stored), { rate: 1, seconds: 2 })).to.equal(TOO_LITTLE);
  });

  it('says that something is wrong — on a busy machine too', () => {
    const ownStalls = [{ from: BEGAN_AT + 30_000, to: BEGAN_AT + 60_000 }];
    const facts = evidence({ ownStalls }, stored);
    expect(status({ ...facts, log: { ...facts.log, stale: 1 } })).to.equal(WRONG);
    const lost = { ...facts, log: { ...facts.log, replays: [replay()] } };
    expect(status(lost)).to.equal(WRONG);
  });
});
