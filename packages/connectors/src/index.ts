export { type ActionRun, ACTION_RUNS_PAGE_MAX, listRuns, loadRun } from './action-journal.ts';
export {
  type ActionCommands,
  type ActionRunner,
  createActionCommands,
  createActionRunner,
  createActionWorkflow,
  type RunActionInput,
} from './action-run.ts';
export { type Connection, connectionInput, connectionPatch, type StreamState } from './connection.ts';
export type { ReachDeps } from './connection-client.ts';
export {
  type ConnectionCommands,
  createConnectionCommands,
  type EventSources,
  findManifest,
} from './connection-commands.ts';
export { listConnections, listStreamStates, loadConnection, rewrapConnectorSecrets } from './connection-store.ts';
export {
  type Capability,
  type Connectors,
  createConnectors,
  listCapabilities,
  type ReadStreamOptions,
  type StreamItem,
} from './connectors.ts';
export { ENTITY_KINDS, type Entity, entity, type EntityKind, type StoredEntity } from './entity.ts';
export {
  countEntities,
  ENTITIES_PAGE_MAX,
  type EntityChange,
  type EntityQuery,
  listChanges,
  listEntities,
  type StoredRow,
} from './entity-store.ts';
export {
  ActionUnknown,
  ConnectionNameTaken,
  ConnectionUnknown,
  ConnectorBusy,
  ConnectorInputInvalid,
  ConnectorsError,
  connectorsErrors,
  ManifestInvalid,
  MappingFailed,
  NotVisible,
  StreamUnknown,
  ToolFailed,
  ToolRefused,
  UndoUnavailable,
  WriteForbidden,
} from './errors.ts';
export type { HttpPort, ToolAnswer, ToolRequest } from './http-port.ts';
export { type LoadedManifest, loadManifests, type Manifests, parseManifest } from './load-manifest.ts';
export { type Manifest, manifest } from './manifest.ts';
export { ACTION_KINDS } from './manifest-action.ts';
export type { Evidence } from './manifest-stream.ts';
export {
  type ConnectionPosture,
  createPostureCommands,
  judgeConnection,
  type PostureCommands,
  readPosture,
} from './connection-posture.ts';
export { listPostureChanges, type PostureChange } from './posture-store.ts';
export { connectorsMigrations } from './migrations.ts';
export {
  ACTION_MODES,
  type ActionMode,
  type ActionOutcome,
  type Outcome,
  OUTCOMES,
  performAction,
} from './perform-action.ts';
export { readStream, type StreamMark, type StreamPage, type StreamPosition } from './read-stream.ts';
export { manifestReference } from './manifest-reference.ts';
export { type ConnectorTest, testConnector } from './recording.ts';
export { createToolClient } from './tool-client.ts';
export {
  type AuditEventEntity,
  createSyncCommands,
  createSyncWorkflow,
  defaultStreams,
  type SyncCommands,
  type SyncDeps,
  type TakeEvents,
} from './sync.ts';
export { listSyncs, type Sync, sweepSyncs, SYNCS_PAGE_MAX, takeDue } from './sync-store.ts';
