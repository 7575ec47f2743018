/** Mocha's spec reporter, which also writes the counts into the file that `.ci/run` names. */
'use strict';
const { writeFileSync } = require('node:fs');
const Mocha = require('mocha');

class CiReporter extends Mocha.reporters.Spec {
  constructor(runner, options) {
    super(runner, options);
    const { output } = options.reporterOptions ?? options.reporterOption ?? {};
    runner.once('end', () => {
      const { passes, failures, pending } = this.stats;
      const skipped = pending > 0 ? `, ${pending} skipped` : '';
      if (output) writeFileSync(output, `${passes} passed, ${failures} failed${skipped}\n`);
    });
  }
}

module.exports = CiReporter;
