const MONTHS = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'] as const;
const MONTH = String.raw`(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)\.?`;

/** How reports write a day, as the source of a pattern without groups. */
export const WRITTEN_DAY = String.raw`(?:${MONTH} \d{1,2}(?:st|nd|rd|th)?,? \d{4}|\d{1,2}(?:st|nd|rd|th)?(?: of|\.)? ${MONTH},? \d{4}|\d{4}-\d{2}-\d{2}|\d{1,2}-${MONTH}-\d{4}|\d{1,2}[./]\d{1,2}[./]\d{4})`;

export interface ReadDay {
  /** ISO day; null where the text is no day, or one that can be read in two ways. */
  readonly day: string | null;
  readonly isAmbiguous: boolean;
}

const NONE: ReadDay = { day: null, isAmbiguous: false };

function dayOf(year: number, month: number, day: number): ReadDay {
  try {
    return {
      day: Temporal.PlainDate.from({ year, month, day }, { overflow: 'reject' }).toString(),
      isAmbiguous: false,
    };
  } catch {
    return NONE; // 31 November
  }
}

/** Points stand between day and month; strokes between either, so `03/04/2025` is left to a person. */
function readFigures(first: number, sign: string, second: number, year: number): ReadDay {
  if (sign === '.') return dayOf(year, second, first);
  if (first > 12) return dayOf(year, second, first);
  if (second > 12 || first === second) return dayOf(year, first, second);
  return { day: null, isAmbiguous: true };
}

/** The day that a text writes: "March 31, 2026", "31. März" not: English, ISO and figures only. */
export function readDay(text: string): ReadDay {
  const iso = /^(\d{4})-(\d{2})-(\d{2})$/.exec(text);
  if (iso) return dayOf(Number(iso[1]), Number(iso[2]), Number(iso[3]));
  const figures = /^(\d{1,2})([./])(\d{1,2})[./](\d{4})$/.exec(text);
  if (figures) return readFigures(Number(figures[1]), figures[2] ?? '', Number(figures[3]), Number(figures[4]));
  const month = MONTHS.indexOf(
    (
      /[a-z]{3}/i.exec(text.replaceAll(/\d(?:st|nd|rd|th)|\bof\b/gi, ' '))?.[0] ?? ''
    ).toLowerCase() as (typeof MONTHS)[number],
  ); // indexOf answers -1 for others
  const [day, year] = [/\b(\d{1,2})(?!\d)/.exec(text)?.[1], /\b(\d{4})\b/.exec(text)?.[1]];
  if (month < 0 || day === undefined || year === undefined) return NONE;
  return dayOf(Number(year), month + 1, Number(day));
}
