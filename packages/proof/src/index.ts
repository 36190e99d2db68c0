import type { Migrations } from '@cordon/kernel';

export { auditSource } from './audit-source.ts';
export { type Checkpoint, parseCheckpoint, verifyCheckpoint } from './checkpoint.ts';
export { ProofBroken, proofErrors, ProofMalformed, ProofNotFound, WitnessInvalid } from './errors.ts';
export { appendLeaf, lakeLeaf, type LakeLeaf, lakeLeafSource, readLeafPosition } from './lake-leaf-store.ts';
export { createLog, type LogDeps, type MerkleLog, type RecordSource } from './log.ts';
export {
  findLog,
  latestCheckpoint,
  loadLog,
  nodeReader,
  type ProofLog,
  rewrapProofKeys,
  type StoredCheckpoint,
} from './log-store.ts';
export { consistencyProof, type TreeHead } from './merkle.ts';
export { decodeKey, encodeKey, type NoteKey } from './note.ts';
export { verifyRecordProof, type WitnessDemand } from './record-proof.ts';
export { type ExportReport, LINE_BYTES_MAX, verifyExport } from './trail-export.ts';
export {
  askWitnesses,
  createWitnessCommands,
  listWitnesses,
  type PostToWitness,
  type Witness,
  type WitnessCommands,
  witnessInput,
  WITNESSES_MAX,
} from './witness.ts';

export const proofMigrations: Migrations = { name: 'proof', folder: new URL('../migrations/', import.meta.url) };
