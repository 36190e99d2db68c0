import { readXml } from './xml-reader.ts';

/** Built-in number formats that show a date or a time (ECMA-376, 18.8.30). */
const BUILT_IN_DATES = new Set([14, 15, 16, 17, 18, 19, 20, 21, 22, 27, 30, 36, 45, 46, 47, 50, 57]);
const DAY_MS = 86_400_000;
const EPOCH_1900_MS = Date.UTC(1899, 11, 30);
const EPOCH_1904_MS = Date.UTC(1904, 0, 1);
/** 31 December 9999 in days since 1900: Excel's last day. */
const DAYS_MAX = 2_958_465;

function showsDate(format: string): boolean {
  const bare = format.replaceAll(/"[^"]*"|\[[^\]]*\]|\\./g, '');
  return /[ymdhs]/i.test(bare) && !/general/i.test(bare);
}

/** The cell styles whose number is a date. */
export function readDateStyles(styles: Uint8Array | undefined): ReadonlySet<number> {
  const dates = new Set<number>();
  if (!styles) return dates;
  const formats = new Map<number, string>();
  let [inCells, index] = [false, 0];
  readXml(styles, {
    open(name, attributes) {
      const id = Number(attributes['numFmtId'] ?? 0);
      if (name === 'numFmt') formats.set(id, attributes['formatCode'] ?? '');
      else if (name === 'cellXfs') inCells = true;
      else if (name === 'xf' && inCells) {
        const custom = formats.get(id);
        if (custom === undefined ? BUILT_IN_DATES.has(id) : showsDate(custom)) dates.add(index);
        index += 1;
      }
    },
    close(name) {
      if (name === 'cellXfs') inCells = false;
    },
  });
  return dates;
}

/** A day number as ISO 8601: the date, with the time when it has one. */
export function dateText(days: number, is1904: boolean): string {
  if (!Number.isFinite(days) || days < 0 || days > DAYS_MAX) return String(days);
  const iso = new Date((is1904 ? EPOCH_1904_MS : EPOCH_1900_MS) + Math.round(days * DAY_MS)).toISOString();
  return iso.endsWith('T00:00:00.000Z') ? iso.slice(0, 10) : iso.slice(0, 19);
}
