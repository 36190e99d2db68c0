export type { LakeArchive, LakeGroup } from './archive.ts';
export type { BehaviourLake } from './behaviour.ts';
export { BEHAVIOUR_ENTITIES, BEHAVIOUR_FACETS } from './behaviour-sum.ts';
export type { BehaviourEntityType, BehaviourFacet } from './behaviour-sum.ts';
export type {
  ActiveEntity,
  BehaviourDay,
  BehaviourFacts,
  BehaviourKey,
  BehaviourNorm,
  FreshValue,
} from './behaviour-read.ts';
export type { FacetsRequest, FacetValue, Histogram, HistogramRequest } from './aggregate.ts';
export type { Follower, FollowRequest } from './follow.ts';
export { BATCH_BYTES_MAX, BATCH_EVENTS_MAX, EVENT_BYTES_MAX, readNdjson } from './ingest.ts';
export type { Batch, IngestResult } from './ingest.ts';
export { openLake } from './lake.ts';
export type { Lake, LakeStats, OpenLakeOptions } from './lake.ts';
export type { LakeLayout } from './lake-schema.ts';
export { spawnLake } from './lake-spawn.ts';
export type { LakeProcess, SpawnLakeOptions } from './lake-spawn.ts';
export { FIELDS } from './query-fields.ts';
export type { FieldInfo, FieldKind } from './query-fields.ts';
export { parseQuery } from './query-parser.ts';
export type { QueryNode, QueryValue } from './query-parser.ts';
export { QUERY_CHARS_MAX } from './query-tokens.ts';
export type { Operator } from './query-tokens.ts';
export { PAGE_EVENTS_MAX } from './search.ts';
export type { SearchPage, SearchRequest, StoredEvent } from './search.ts';
export { checkQuery } from './search-scope.ts';
export { SWEPT_COLUMNS, type SweptColumn } from './sweep.ts';
export type { PropertyFilter, Scope } from './search-scope.ts';
export type { TrafficGroup, TrafficRequest, TrafficRow } from './traffic.ts';
export type { HuntDay, HuntHit, HuntLake, HuntRequest } from './hunt.ts';
export type { Budgeted, EdgeHour, Measures, MonitorBucket, MonitorGroup, MonitorLake, MonitorRow } from './monitor.ts';
export type { CallDetail, CallGroup, Exposure, UsageLake, UsageScope, UsedOperation } from './usage.ts';
export { lakeErrors } from './errors.ts';
export type { LakeErrorCode } from './errors.ts';
export { apiActivity, httpActivity } from './call-build.ts';
export type { ApiCallFacts, CallFacts, CallRequestFacts, CallResponseFacts } from './call-build.ts';
export type { Decision, EndpointFacts, EventOrigin, FindingFacts, Named, PersonFacts } from './event-build.ts';
export { detectionFinding } from './finding-build.ts';
export type { DetectionFindingFacts } from './finding-build.ts';
export { accountChange, authentication, entityManagement } from './iam-build.ts';
export type { AccountChangeFacts, AuthenticationFacts, EntityManagementFacts } from './iam-build.ts';
export { ACTION, CATEGORY, CLASS, DISPOSITION, FINDING_STATUS, OCSF_VERSION, SEVERITY, STATUS } from './ocsf.ts';
export type { SeverityName, StatusName } from './ocsf.ts';
export {
  accountChangeEvent,
  apiActivityEvent,
  authenticationEvent,
  detectionFindingEvent,
  entityManagementEvent,
  httpActivityEvent,
  ocsfEvent,
  parseEvent,
} from './ocsf-events.ts';
export type {
  AccountChangeEvent,
  ApiActivityEvent,
  AuthenticationEvent,
  CordonFacts,
  DetectionFindingEvent,
  EntityManagementEvent,
  HttpActivityEvent,
  OcsfEvent,
} from './ocsf-events.ts';
export type { BatchDigestLake } from './batch-digest.ts';
export type { ExpiredDay, ExpiryLake, Hold } from './expiry.ts';
export { JOURNAL_SETTLE_MS } from './journal.ts';
export { EXPORT_EVENTS_MAX, EXPORT_FORMATS } from './export.ts';
