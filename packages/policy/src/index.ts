export type {
  GrantEntry,
  GrantEntryInput,
  GrantSelector,
  IntegrationEntry,
  IntegrationEntryInput,
  JwkEntry,
  JwkEntryInput,
  PolicyEntry,
  PolicyEntryInput,
  RevokedEntry,
  TokenEntry,
  TokenEntryInput,
} from './access-entry.ts';
export {
  grantEntry,
  grantSelector,
  integrationEntry,
  jwkEntry,
  policyEntry,
  revokedEntry,
  tokenEntry,
} from './access-entry.ts';
export type { AppEntry, AppEntryInput, Assurance, Credential } from './app-entry.ts';
export { appEntry, assurance, credential } from './app-entry.ts';
export { canonicalJson } from './canonical-json.ts';
export type { Entries, EntryInputOf, EntryKey, EntryKind, EntryOf, SnapshotEntry } from './entry.ts';
export { entrySchemas, getEntry, listEntries, parseEntry, parseEntryKey } from './entry.ts';
export type { PolicyErrorCode } from './errors.ts';
export {
  NotCanonical,
  PolicyError,
  policyErrors,
  PolicyTextInvalid,
  SelectorInvalid,
  SnapshotBaseMismatch,
  SnapshotInvalid,
  SnapshotKeyUnknown,
  SnapshotOlder,
  SnapshotTampered,
  SnapshotTooBig,
} from './errors.ts';
export type {
  Direction,
  InspectionAction,
  InspectionEntry,
  InspectionEntryInput,
  LimitEntry,
  LimitEntryInput,
} from './rule-entry.ts';
export { inspectionAction, inspectionEntry, limitEntry } from './rule-entry.ts';
export type { Snapshot } from './snapshot.ts';
export { createSnapshot, ENTRIES_MAX, snapshotPayload } from './snapshot.ts';
export type { SnapshotDelta } from './snapshot-delta.ts';
export { applyDelta, changeSnapshot, createDelta } from './snapshot-delta.ts';
export type { SignedDocument, SigningKey, VerifyOptions } from './snapshot-signature.ts';
export {
  decodeSigned,
  DELTA_BYTES_MAX,
  encodeSigned,
  signDelta,
  signSnapshot,
  SNAPSHOT_BYTES_MAX,
  snapshotKeyId,
  verifyDelta,
  verifySnapshot,
} from './snapshot-signature.ts';
