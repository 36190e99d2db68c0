import type { FourthParty } from './vendor-queries.ts';

export const BOX_WIDTH = 200;
export const BOX_HEIGHT = 32;
const COLUMN_GAP = 160;
const ROW_GAP = 12;
/** A picture of more than this says nothing; the table holds everything. */
const PARTIES_MAX = 15;
const VENDORS_MAX = 30;
const LINE_MIN = 1;
const LINE_MAX = 6;

export interface PartyBox {
  readonly id: string;
  readonly title: string;
  readonly x: number;
  readonly y: number;
  readonly isVendor: boolean;
}

export interface PartyDrawing {
  readonly boxes: readonly PartyBox[];
  readonly lines: readonly { readonly from: PartyBox; readonly to: PartyBox; readonly width: number }[];
  readonly width: number;
  readonly height: number;
  /** Vendors and companies that found no room. */
  readonly left: number;
}

/** Vendors on the left, who they rest on at the right; a line is the wider the more vendors end at its company. */
export function drawFourthParties(parties: readonly FourthParty[]): PartyDrawing {
  const shown = parties.toSorted((a, b) => b.concentration - a.concentration).slice(0, PARTIES_MAX);
  const names = new Map(shown.flatMap(({ vendors }) => vendors.map(({ id, name }) => [id, name] as const)));
  const vendors = [...names].slice(0, VENDORS_MAX);
  const rows = Math.max(vendors.length, shown.length);
  const height = rows * (BOX_HEIGHT + ROW_GAP);
  const yOf = (index: number, count: number): number =>
    (height - count * (BOX_HEIGHT + ROW_GAP)) / 2 + index * (BOX_HEIGHT + ROW_GAP);
  const left = new Map(
    vendors.map(([id, title], index) => [id, { id, title, x: 0, y: yOf(index, vendors.length), isVendor: true }]),
  );
  const right = shown.map((party, index) => ({
    party,
    box: {
      id: `party ${party.key}`,
      title: party.name,
      x: BOX_WIDTH + COLUMN_GAP,
      y: yOf(index, shown.length),
      isVendor: false,
    },
  }));
  const lines = right.flatMap(({ party, box }) =>
    party.vendors.flatMap(({ id }) => {
      const from = left.get(id);
      const width = LINE_MIN + party.concentration * (LINE_MAX - LINE_MIN);
      return from === undefined ? [] : [{ from, to: box, width }];
    }),
  );
  return {
    boxes: [...left.values(), ...right.map(({ box }) => box)],
    lines,
    width: 2 * BOX_WIDTH + COLUMN_GAP,
    height,
    left: parties.length - shown.length + names.size - vendors.length,
  };
}
