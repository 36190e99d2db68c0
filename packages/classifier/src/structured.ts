/** Reads a document piece by piece and hands its values to the value scanner. */
export interface StructuredScanner {
  /** The bytes from the last returned offset on are not of this kind. */
  readonly broken: boolean;
  /** Scans `[from, to)` and returns up to where it came; with `final`, what is left is the end. */
  scan(bytes: Uint8Array, from: number, to: number, final: boolean): number;
}
