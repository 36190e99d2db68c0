type Words = Uint32Array | BigUint64Array;

const ROWS_FIRST = 4_096;

function grown<A extends Words>(words: A, make: (length: number) => A): A {
  const larger = make(words.length * 2);
  // One of the two kinds on both sides, which TypeScript can't follow through `set`.
  if (larger instanceof Uint32Array && words instanceof Uint32Array) larger.set(words);
  if (larger instanceof BigUint64Array && words instanceof BigUint64Array) larger.set(words);
  return larger;
}

/** Ranges of IPv4 in typed arrays: 12 bytes each, where an object takes ten times as much. */
export class RangesV4 {
  #first = new Uint32Array(ROWS_FIRST);
  #last = new Uint32Array(ROWS_FIRST);
  #index = new Uint32Array(ROWS_FIRST);
  #count = 0;
  #isSorted = true;

  push(first: number, last: number, index: number): void {
    if (this.#count === this.#first.length) {
      this.#first = grown(this.#first, (length) => new Uint32Array(length));
      this.#last = grown(this.#last, (length) => new Uint32Array(length));
      this.#index = grown(this.#index, (length) => new Uint32Array(length));
    }
    if (this.#count > 0 && (this.#first[this.#count - 1] ?? 0) > first) this.#isSorted = false;
    this.#first[this.#count] = first;
    this.#last[this.#count] = last;
    this.#index[this.#count] = index;
    this.#count += 1;
  }

  find(key: number): number | undefined {
    const at = lastNotAbove(this.#count, (row) => (this.#first[row] ?? 0) <= key);
    return at >= 0 && key <= (this.#last[at] ?? 0) ? this.#index[at] : undefined;
  }

  sort(): void {
    const order = this.#isSorted ? null : orderOf(this.#count, (row) => this.#first[row] ?? 0);
    const pick = (words: Uint32Array): Uint32Array<ArrayBuffer> =>
      order ? order.map((row) => words[row] ?? 0) : words.slice(0, this.#count);
    [this.#first, this.#last, this.#index] = [pick(this.#first), pick(this.#last), pick(this.#index)];
    this.#isSorted = true;
  }
}

/** The same for IPv6: 36 bytes each. */
export class RangesV6 {
  /** First and last address of each, in halves. */
  #bounds = new BigUint64Array(ROWS_FIRST * 4);
  #index = new Uint32Array(ROWS_FIRST);
  #count = 0;
  #isSorted = true;

  push(first: readonly [bigint, bigint], last: readonly [bigint, bigint], index: number): void {
    if (this.#count === this.#index.length) {
      this.#bounds = grown(this.#bounds, (length) => new BigUint64Array(length));
      this.#index = grown(this.#index, (length) => new Uint32Array(length));
    }
    if (this.#count > 0 && !this.#isAtMost(this.#count - 1, 0, first)) this.#isSorted = false;
    this.#bounds.set([...first, ...last], this.#count * 4);
    this.#index[this.#count] = index;
    this.#count += 1;
  }

  find(key: readonly [bigint, bigint]): number | undefined {
    const at = lastNotAbove(this.#count, (row) => this.#isAtMost(row, 0, key));
    if (at < 0) return undefined;
    const [high, low] = [this.#bounds[at * 4 + 2] ?? 0n, this.#bounds[at * 4 + 3] ?? 0n];
    return key[0] < high || (key[0] === high && key[1] <= low) ? this.#index[at] : undefined;
  }

  sort(): void {
    if (!this.#isSorted) {
      const order = orderOf(this.#count, (row) => [this.#bounds[row * 4] ?? 0n, this.#bounds[row * 4 + 1] ?? 0n]);
      const bounds = new BigUint64Array(this.#count * 4);
      for (const [at, row] of order.entries()) bounds.set(this.#bounds.subarray(row * 4, row * 4 + 4), at * 4);
      this.#index = order.map((row) => this.#index[row] ?? 0);
      this.#bounds = bounds;
    } else {
      this.#bounds = this.#bounds.slice(0, this.#count * 4);
      this.#index = this.#index.slice(0, this.#count);
    }
    this.#isSorted = true;
  }

  #isAtMost(row: number, half: number, key: readonly [bigint, bigint]): boolean {
    const [high, low] = [this.#bounds[row * 4 + half] ?? 0n, this.#bounds[row * 4 + half + 1] ?? 0n];
    return high < key[0] || (high === key[0] && low <= key[1]);
  }
}

type Key = number | readonly [bigint, bigint];

function orderOf(count: number, keyOf: (row: number) => Key): Uint32Array<ArrayBuffer> {
  const compare = (a: Key, b: Key): number => {
    if (typeof a === 'number' || typeof b === 'number') return Number(a) - Number(b);
    const [x, y] = a[0] === b[0] ? [a[1], b[1]] : [a[0], b[0]];
    return x < y ? -1 : x > y ? 1 : 0;
  };
  return Uint32Array.from({ length: count }, (_, row) => row).sort((a, b) => compare(keyOf(a), keyOf(b)));
}

/** The last position for which the test holds, when it holds for all before it; -1 when for none. */
function lastNotAbove(count: number, test: (at: number) => boolean): number {
  let [low, high] = [0, count];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (test(middle)) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}
