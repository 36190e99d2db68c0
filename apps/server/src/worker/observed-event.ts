import { CLASS_NAMES, type DetectionEvent, lakeEvent } from '@cordon/detection';
import { ocsfEvent, type OcsfEvent } from '@cordon/lake';

/** An event as the lake stores it and as rules see it. */
export interface Observed {
  readonly stored: OcsfEvent;
  readonly seen: DetectionEvent;
  /** When Cordon had it, ms since epoch. */
  readonly receivedAt: number;
  /** The exercise whose signature the event carries; set by the worker alone. */
  readonly drill?: string;
}

/** An event that Cordon made itself: rules see it as it is stored. */
export function ownEvent(stored: OcsfEvent): Observed {
  const seen = { ...stored, class_name: CLASS_NAMES[stored.class_uid] ?? '' };
  return {
    stored,
    seen: {
      id: stored.metadata.uid,
      time: stored.time,
      product: 'cordon',
      service: 'events',
      raw: stored,
      ocsf: seen,
    },
    receivedAt: stored.time,
  };
}

const SEVERITY_INFORMATIONAL = 1;

/** A vendor's event, with the vendor's record beside it; the reason in words when the parser made no valid OCSF. */
export function vendorEvent(seen: DetectionEvent, receivedAt: number): Observed | string {
  const event = lakeEvent(seen);
  const checked = ocsfEvent.safeParse({ ...event, severity_id: event['severity_id'] ?? SEVERITY_INFORMATIONAL });
  if (checked.success) return { stored: checked.data, seen, receivedAt };
  const issue = checked.error.issues[0];
  return `The parser's event is not OCSF: ${issue?.path.map(String).join('.') ?? ''}: ${issue?.message ?? 'not valid'}`;
}
