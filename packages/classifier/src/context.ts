import type { AnchorRole } from './compile.ts';

/** How far before and after a value words count as its context, in bytes; about a line of prose, and a clause. */
const BEFORE_BYTES = 96;
const AFTER_BYTES = 48;

/** Words of one segment that are context for something, by position. */
export class NearWords {
  private roles: AnchorRole[] = [];
  private ends: number[] = [];

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

  /** The word near `[start, end)` that is context for a detector, or undefined. */
  find(detector: number, start: number, end: number): string | undefined {
    if (this.ends.length === 0) return undefined;
    for (let i = this.firstFrom(start - BEFORE_BYTES); i < this.ends.length; i++) {
      const wordEnd = this.ends[i] ?? 0;
      const role = this.roles[i];
      if (role === undefined || wordEnd - role.length > end + AFTER_BYTES) return undefined;
      const inside = wordEnd > start && wordEnd - role.length < end;
      if (!inside && role.context?.has(detector) === true) return role.text;
    }
    return undefined;
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
