import DateRangePicker, { type DateRangePickerProps } from '@cloudscape-design/components/date-range-picker';
import { type EventSearch, WINDOW_MS_DEFAULT } from './event-search.ts';

const UNIT_MS: Readonly<Record<string, number>> = {
  second: 1_000,
  minute: 60_000,
  hour: 3_600_000,
  day: 86_400_000,
  week: 604_800_000,
  month: 30 * 86_400_000,
  year: 365 * 86_400_000,
};

const PRESETS: readonly DateRangePickerProps.RelativeOption[] = [
  { key: '15m', amount: 15, unit: 'minute', type: 'relative' },
  { key: '1h', amount: 1, unit: 'hour', type: 'relative' },
  { key: '6h', amount: 6, unit: 'hour', type: 'relative' },
  { key: '1d', amount: 1, unit: 'day', type: 'relative' },
  { key: '7d', amount: 7, unit: 'day', type: 'relative' },
  { key: '30d', amount: 30, unit: 'day', type: 'relative' },
];

function relativeOf(windowMs: number): DateRangePickerProps.RelativeValue {
  const preset = PRESETS.find(({ amount, unit }) => amount * (UNIT_MS[unit] ?? 0) === windowMs);
  if (preset) return preset;
  const unit = windowMs % 3_600_000 === 0 ? 'hour' : windowMs % 60_000 === 0 ? 'minute' : 'second';
  return { type: 'relative', amount: Math.round(windowMs / (UNIT_MS[unit] ?? 1)), unit };
}

function valueOf({ window, from, to }: EventSearch): DateRangePickerProps.Value {
  if (from !== undefined && to !== undefined) {
    return { type: 'absolute', startDate: new Date(from).toISOString(), endDate: new Date(to).toISOString() };
  }
  return relativeOf(window ?? WINDOW_MS_DEFAULT);
}

/** The time range of a search: the last so much, or from and to. */
export function TimeRange({
  search,
  isDisabled,
  onChange,
}: {
  readonly search: EventSearch;
  readonly isDisabled: boolean;
  readonly onChange: (range: { window?: number; from?: number; to?: number }) => void;
}) {
  return (
    <DateRangePicker
      value={valueOf(search)}
      disabled={isDisabled}
      showClearButton={false}
      relativeOptions={PRESETS}
      expandToViewport
      placeholder="Time range"
      onChange={({ detail }) => {
        const { value } = detail;
        if (value?.type === 'relative') onChange({ window: value.amount * (UNIT_MS[value.unit] ?? 0) });
        else if (value) onChange({ from: Date.parse(value.startDate), to: Date.parse(value.endDate) });
      }}
      isValidRange={(range) => {
        if (range?.type === 'absolute' && !(Date.parse(range.startDate) < Date.parse(range.endDate))) {
          return { valid: false, errorMessage: 'The end must be after the start.' };
        }
        return { valid: true };
      }}
    />
  );
}
