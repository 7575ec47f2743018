'use strict';

/** The value below which `share` of them lie. */
function quantile(values, share) {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (sorted.length - 1) * share;
  const [low, high] = [sorted[Math.floor(at)], sorted[Math.ceil(at)]];
  return low + (high - low) * (at - Math.floor(at));
}

const median = (values) => quantile(values, 0.5);

/** Median, and the quartiles as its spread. */
const spread = (values) => ({
  median: median(values),
  low: quantile(values, 0.25),
  high: quantile(values, 0.75),
});

/** Others first in every round, so that none has the quiet moments to itself. */
const rotate = (list, by) => list.map((_, index) => list[(index + by) % list.length]);

module.exports = { median, quantile, rotate, spread };
