import { CordonError, type ErrorTable } from '@cordon/kernel';

/** Base of everything that the lake refuses or fails at. */
export abstract class LakeError extends CordonError {}

/** A search that can't be read; `detail.position` and `detail.length` point at the part, the message says what to do. */
export class QueryInvalid extends LakeError {
  readonly code = 'lake.query_invalid';
}

/** A search that could be read but asks for more than one search may. */
export class QueryTooLarge extends LakeError {
  readonly code = 'lake.query_too_large';
}

/** A cursor that this search did not hand out. */
export class CursorInvalid extends LakeError {
  readonly code = 'lake.cursor_invalid';
}

/** An event or batch that isn't OCSF as the lake takes it. */
export class EventInvalid extends LakeError {
  readonly code = 'lake.event_invalid';
}

/** No event has this id. */
export class EventUnknown extends LakeError {
  readonly code = 'lake.event_unknown';
}

/** The search ran into its limit of time or memory. */
export class SearchTooHeavy extends LakeError {
  readonly code = 'lake.search_too_heavy';
}

/** The engine can't be reached or refuses: try again, nothing was acknowledged. */
export class LakeUnavailable extends LakeError {
  readonly code = 'lake.unavailable';
}

/** The lake's tables are newer than this program, or a migration was changed after it ran. */
export class LakeMigrationConflict extends LakeError {
  readonly code = 'lake.migration_conflict';
}

export type LakeErrorCode =
  | 'lake.query_invalid'
  | 'lake.query_too_large'
  | 'lake.cursor_invalid'
  | 'lake.event_invalid'
  | 'lake.event_unknown'
  | 'lake.search_too_heavy'
  | 'lake.unavailable'
  | 'lake.migration_conflict';

export const lakeErrors: ErrorTable = {
  'lake.query_invalid': { status: 400, expose: true, level: 'debug' },
  'lake.query_too_large': { status: 400, expose: true, level: 'info' },
  'lake.cursor_invalid': { status: 400, expose: true, level: 'info' },
  'lake.event_invalid': { status: 422, expose: true, level: 'warn' },
  'lake.event_unknown': { status: 404, expose: true, level: 'debug' },
  'lake.search_too_heavy': { status: 422, expose: true, level: 'warn' },
  'lake.unavailable': { status: 503, expose: false, level: 'error' },
  'lake.migration_conflict': { status: 500, expose: false, level: 'error' },
} satisfies Record<LakeErrorCode, ErrorTable[string]>;
