/** Quantiles, and the order of turns. */
'use strict';

/** The value below which this share of the values lies. */
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

/** Starts each round with another one, so that all get the quiet moments of the machine. */
const rotate = (list, by) => list.map((_, index) => list[(index + by) % list.length]);

module.exports = { median, quantile, rotate, spread };
