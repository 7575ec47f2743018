/** The goals, and the measured figures, which are not rounded in our favour. */
'use strict';
const { ratios } = require('./parts/cpu');
const { RTT_MS, everydayCase } = require('./parts/everyday');
const { EMPTY } = require('./parts/packages');
const { median, spread } = require('./statistics');

/**
 * @typedef {object} Goal
 * @property {string} what
 * @property {string} limit
 * @property {string} measured
 * @property {string} [byHand] the same figure of the strategy by hand, which shows if the limit can be reached
 * @property {boolean} holds
 * @property {string} [of] the number of runs in which it held, when there were several
 */

const OURS = ['salesloft', 'salesos', 'salesforce'];
const NAMES = { salesloft: 'Salesloft', salesos: 'SalesOS', salesforce: 'Salesforce' };
const IDEALS = {
  salesloft: 'idealProfile',
  salesos: 'idealIdToken',
  salesforce: 'idealSalesforce',
};
/** The Passport strategies that send as many requests. */
const LIKE = {
  salesloft: ['oauth2', 'google', 'auth0'],
  salesos: ['openidconnect', 'openidClient', 'openidClientSigned'],
  salesforce: ['oauth2', 'google', 'auth0'],
};

const shown = ({ median: middle, low, high }) =>
  `${middle.toFixed(2)} × (${low.toFixed(2)}–${high.toFixed(2)})`;

const shownBoth = ([https, http]) => `${shown(https)}${http ? `; http ${shown(http)}` : ''}`;

/** CPU over https and, where it was measured, over http: both must hold. */
function cpuGoals(https, http) {
  const wanted = [
    ['salesloft', 'oauth2', 0.8, 'passport-oauth2 with a profile'],
    ['salesforce', 'oauth2', 0.8, 'passport-oauth2 with a profile'],
    ['salesos', 'auth0', 0.8, 'passport-auth0, which checks no signature'],
    ['salesos', 'openidClientSigned', 0.45, 'openid-client with signature checks'],
    ...OURS.map((own) => [own, IDEALS[own], 1.15, 'the same by hand']),
  ];
  return wanted
    .filter(([, reference]) => https[reference])
    .map(([own, reference, limit, title]) => {
      const both = (subject) =>
        [https, http]
          .filter((results) => results)
          .map((results) => spread(ratios(results, subject, reference)));
      const all = both(own);
      const ideal = IDEALS[own];
      return {
        what: `${NAMES[own]}: CPU over the floor, against ${title}`,
        limit: `≤ ${limit.toFixed(2)} ×`,
        measured: shownBoth(all),
        byHand: reference === ideal ? undefined : shownBoth(both(ideal)),
        holds: all.every(({ median: middle }) => middle <= limit),
      };
    });
}

function everydayGoals(everyday) {
  const warm = OURS.map((own) => {
    const limit = 1.05 * RTT_MS * (own === 'salesos' ? 1 : 2);
    const busy = spread(everyday[own].busy);
    const ideal = everyday[IDEALS[own]];
    return {
      what: `${NAMES[own]}: callback, connection warm, ${RTT_MS} ms per round trip`,
      limit: `≤ ${limit} ms`,
      measured: `${busy.median.toFixed(1)} ms (${busy.low.toFixed(1)}–${busy.high.toFixed(1)})`,
      byHand: ideal && `${median(ideal.busy).toFixed(1)} ms`,
      holds: busy.median <= limit,
    };
  });
  const quiet = OURS.map((own) => {
    const busy = median(everyday[own].busy);
    const keys = new Set(everyday[own].idle.map((one) => `${one.keepAlive} ${one.seconds}`));
    const cases = [...keys].map((key) => {
      const [keepAlive, seconds] = key.split(' ').map(Number);
      return {
        keepAlive,
        seconds,
        ratio: everydayCase(everyday[own], keepAlive, seconds).ms / busy,
      };
    });
    const worst = cases.toSorted((a, b) => b.ratio - a.ratio)[0];
    return {
      what: `${NAMES[own]}: callback after some quiet, against the busy one`,
      limit: '≤ 1.15 × in all cases',
      measured: `${worst.ratio.toFixed(2)} × at worst (${worst.seconds} s of quiet, closed after ${worst.keepAlive} s)`,
      holds: worst.ratio <= 1.15,
    };
  });
  return [...warm, ...quiet];
}

function coldGoals(cold) {
  return OURS.map((own) => {
    const first = median(cold[own].first);
    const limit = median(cold[own].warm) + 2 * RTT_MS;
    const ideal = cold[IDEALS[own]];
    return {
      what: `${NAMES[own]}: first callback of a process: the warm one, a TLS handshake, a round trip`,
      limit: `≤ ${limit.toFixed(0)} ms`,
      measured: `${first.toFixed(0)} ms`,
      byHand: ideal && `${median(ideal.first).toFixed(0)} ms`,
      holds: first <= limit,
    };
  });
}

function throughputGoals(throughput) {
  return OURS.flatMap((own) => {
    const peers = LIKE[own].filter((peer) => throughput[peer]);
    if (peers.length === 0) return [];
    const goals = [16, 64].map((people) => {
      const rate = (subject) => median(throughput[subject][people].perSecond);
      const best = peers.toSorted((a, b) => rate(b) - rate(a))[0];
      const theirs = throughput[best][people].perSecond;
      const against = (subject) =>
        spread(throughput[subject][people].perSecond.map((value, round) => value / theirs[round]));
      const ratio = against(own);
      const ideal = IDEALS[own];
      return {
        what: `${NAMES[own]}: logins per second, ${people} at a time, against the best with as many requests`,
        limit: '≥ 1.10 ×',
        measured: shown(ratio),
        byHand: throughput[ideal] && shown(against(ideal)),
        holds: ratio.median >= 1.1,
      };
    });
    const p99 = (subject) => median(throughput[subject][256].p99);
    const best = Math.min(...peers.map(p99));
    return [
      ...goals,
      {
        what: `${NAMES[own]}: 99th percentile of the callback, 256 at a time, against the best of these`,
        limit: `≤ ${best.toFixed(0)} ms`,
        measured: `${p99(own).toFixed(0)} ms`,
        byHand: throughput[IDEALS[own]] && `${p99(IDEALS[own]).toFixed(0)} ms`,
        holds: p99(own) <= best,
      },
    ];
  });
}

function memoryGoals({ sessions, heap, refresh }) {
  const perSession = OURS.map((own) => {
    const { 1: one, 50: fifty } = sessions[own];
    return {
      what: `${NAMES[own]}: session bytes per abandoned login, of ten at most`,
      limit: '≤ 400, ≤ 4000',
      measured: `${one}, ${fifty} after 50`,
      holds: one <= 400 && fifty <= 4000,
    };
  });
  const perHeap = OURS.filter((own) => heap[own]).map((own) => {
    const { heap: values, logins } = heap[own];
    const kib = (values.at(-1) - values[0]) / 1024;
    return {
      what: `${NAMES[own]}: heap after many logins more`,
      limit: '< 1024 KiB more',
      measured: `${kib.toFixed(0)} KiB after ${logins.toLocaleString('en')}`,
      holds: kib < 1024,
    };
  });
  const requests = Math.max(...refresh.map((round) => round.requests));
  const once = {
    what: 'A thousand callers of one person’s ended tokens',
    limit: '1 request',
    measured: `${requests}, in ${median(refresh.map(({ ms }) => ms)).toFixed(0)} ms`,
    holds: requests === 1 && refresh.every(({ different }) => different === 1),
  };
  return [...perSession, ...perHeap, once];
}

function packageGoals({ loading, installed }) {
  const own = loading['passport-salesloft'];
  const theirs = loading['passport-oauth2'];
  const { packages, kib } = installed['passport-salesloft'];
  const install = {
    what: 'Salesloft installed, `@types` aside',
    limit: '≤ 9 packages, ≤ 600 KiB',
    measured: `${packages} packages, ${kib.toFixed(0)} KiB`,
    holds: packages <= 9 && kib <= 600,
  };
  if (!theirs) return [install];
  const goal = (what, name) => {
    const compare = (rounds) =>
      spread(rounds.map((round, index) => round[name] / theirs[index][name]));
    const ratio = compare(own);
    return {
      what: `\`require('passport-salesloft')\`: ${what}, against passport-oauth2`,
      limit: '≤ 1.15 ×',
      measured: shown(ratio),
      byHand: loading[EMPTY] && `${shown(compare(loading[EMPTY]))}, empty`,
      holds: ratio.median <= 1.15,
    };
  };
  return [goal('time', 'ms'), goal('modules', 'modules'), install];
}

/** @returns {Goal[]} of the parts that were measured */
function judge(data) {
  return [
    ...(data.https ? cpuGoals(data.https, data.http) : []),
    ...(data.everyday ? everydayGoals(data.everyday) : []),
    ...(data.cold ? coldGoals(data.cold) : []),
    ...(data.throughput ? throughputGoals(data.throughput) : []),
    ...(data.memory ? memoryGoals(data.memory) : []),
    ...(data.packages ? packageGoals(data.packages) : []),
  ];
}

module.exports = { judge };
