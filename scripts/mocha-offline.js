/**
 * Root hooks of mocha: a unit test of a strategy package asks only the provider that it plays itself.
 *
 * Loading nock replaces `node:http`, and all test files share one process. Here nock replaces it only while
 * a test of `packages/passport-*` runs; every other test has real sockets.
 */
'use strict';
const { join, relative, sep } = require('node:path');
const nock = require('nock');

const ROOT = join(__dirname, '..');
const STRATEGY_TEST = /^packages\/passport-[^/]+\/build\//;

/** The provider checks ask a server of their own. */
const LOOPBACK = /^127\.0\.0\.1:\d+$/;

nock.restore();

const isOffline = ({ file = '' }) => STRATEGY_TEST.test(relative(ROOT, file).split(sep).join('/'));

/** Ends the test with an error when it was written for a request that was not made. */
function expectEveryRequest(test) {
  const { fn } = test;
  if (fn.length > 0) throw new TypeError(`return a promise, in place of done: ${test.fullTitle()}`);
  // Not in `afterEach`: a root hook that fails ends the whole run.
  test.fn = async function () {
    await fn.call(this);
    const missing = nock.pendingMocks();
    if (missing.length > 0) throw new Error(`not requested: ${missing.join(', ')}`);
  };
}

exports.mochaHooks = {
  beforeEach() {
    const test = this.currentTest;
    if (!isOffline(test)) return;
    nock.activate();
    nock.disableNetConnect();
    nock.enableNetConnect(LOOPBACK);
    expectEveryRequest(test);
  },
  afterEach() {
    if (!isOffline(this.currentTest)) return;
    nock.cleanAll();
    nock.enableNetConnect();
    nock.restore();
  },
};
