import type { AnchorRole } from './compile.ts';

/** How far before and after a value words count as its context, in bytes; about a line of prose, and a clause. */
const BEFORE_BYTES = 96;
const AFTER_BYTES = 48;

const NONE: readonly AnchorRole[] = [];

/** Words of one segment that are context for something, by position. */
export class NearWords {
  private roles: AnchorRole[] = [];
  private ends: number[] = [];
  private readonly near: AnchorRole[] = [];

  get size(): number {
    return this.ends.length;
  }

  clear(): void {
    if (this.ends.length === 0) return;
    this.roles = [];
    this.ends = [];
  }

  /** Ends must not decrease. */
  add(role: AnchorRole, end: number): void {
    this.roles.push(role);
    this.ends.push(end);
  }

  /** Words near `[start, end)`; asked once for a candidate that dozens of detectors may want. Valid until asked again. */
  around(start: number, end: number): readonly AnchorRole[] {
    if (this.ends.length === 0) return NONE;
    const { near } = this;
    near.length = 0;
    for (let i = this.firstFrom(start - BEFORE_BYTES); i < this.ends.length; i++) {
      const wordEnd = this.ends[i] ?? 0;
      const role = this.roles[i];
      if (role === undefined || wordEnd - role.length > end + AFTER_BYTES) break;
      if (wordEnd <= start || wordEnd - role.length >= end) near.push(role);
    }
    return near;
  }

  /** The word near `[start, end)` that is context for a detector, or undefined. */
  find(detector: number, start: number, end: number): string | undefined {
    return this.around(start, end).find((role) => role.context?.has(detector) === true)?.text;
  }

  private firstFrom(position: number): number {
    let low = 0;
    let high = this.ends.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.ends[middle] ?? 0) < position) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
