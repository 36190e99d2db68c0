/** Small robust statistics. All functions are total: an empty list has a middle of 0. */

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const half = sorted.length >> 1;
  const upper = sorted[half] ?? 0;
  return sorted.length % 2 === 1 ? upper : ((sorted[half - 1] ?? 0) + upper) / 2;
}

/** Makes the median absolute deviation comparable with a standard deviation of a normal distribution. */
const MAD_TO_SIGMA = 1.4826;

export function spreadOf(values: readonly number[], middle: number): number {
  return MAD_TO_SIGMA * median(values.map((value) => Math.abs(value - middle)));
}

/** Upper tail of Student's t with 4 degrees of freedom: heavier than a normal's, as counts of work are. Closed form. */
export function upperTail(deviation: number): number {
  const root = deviation / Math.sqrt(1 + (deviation * deviation) / 4);
  const mass = 0.5 + (3 / 8) * root * (1 - (root * root) / 12);
  return Math.min(1, Math.max(1e-12, 1 - mass));
}

/** Chance of `count` or more when `mean` are expected: upper tail of Poisson, for fractional counts by steps between. */
export function atLeast(count: number, mean: number): number {
  if (count <= 0) return 1;
  const whole = Math.floor(count);
  const below = tailFrom(whole, mean);
  const above = tailFrom(whole + 1, mean);
  return below * (above / below) ** (count - whole);
}

/** Terms after which the sum no longer changes for the means met here. */
const TERMS_MAX = 400;

function tailFrom(count: number, mean: number): number {
  if (count <= 0) return 1;
  let term = Math.exp(-mean + count * Math.log(mean) - logFactorial(count));
  let sum = 0;
  for (let at = count; at < count + TERMS_MAX; at++) {
    sum += term;
    term *= mean / (at + 1);
  }
  return Math.min(1, Math.max(1e-12, sum));
}

function logFactorial(count: number): number {
  let sum = 0;
  for (let at = 2; at <= count; at++) sum += Math.log(at);
  return sum;
}
