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
