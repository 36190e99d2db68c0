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
export type { AppEntry, AppEntryInput, Assurance, Credential, CredentialEntry } from './app-entry.ts';
export { appEntry, assurance, credential, type InjectionException, injectionException } from './app-entry.ts';
export type { Authorizer, OperationSource } from './authorizer.ts';
export { createAuthorizer } from './authorizer.ts';
export type { BuiltIn } from './built-in.ts';
export { readBuiltIn } from './built-in.ts';
export { canonicalJson } from './canonical-json.ts';
export { argumentPointer, type ApprovedCall, approvedCall, CALL_DETAIL_TYPE } from './approved-call.ts';
export type { CallContext, CallRequest, Decision, Named } from './decision.ts';
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
export type { GraphqlSchemaEntry, GraphqlSettings } from './graphql-entry.ts';
export { graphqlSettings } from './graphql-entry.ts';
export type { OperationFacts } from './grant-selector.ts';
export { covers, formatSelector, parseSelector, parseUnknownOperation, unknownOperation } from './grant-selector.ts';
export type { FoundFacts, InspectionCall, InspectionResolver, RestingPlace } from './inspection.ts';
export {
  compileInspection,
  defaultInspectionRules,
  labelOfOperation,
  resolveInspection,
  stricterAction,
} from './inspection.ts';
export type { DataLabel, DataLabelEntry, FingerprintKeyEntry, OwnDetectorEntry } from './data-entry.ts';
export { dataLabel } from './data-entry.ts';
export type { DefinitionFlag } from './mcp-definition.ts';
export {
  contentsDefinition,
  DEFINITION_BYTES_MAX,
  definitionHash,
  findHiddenInstructions,
  isMcpName,
  makeVisible,
  pinnedDefinition,
} from './mcp-definition.ts';
export type { McpItemEntry, McpItemEntryInput, McpItemKind, McpSettings } from './mcp-entry.ts';
export { mcpItemKind, mcpSettings } from './mcp-entry.ts';
export type { CertificateProblem, SeenConnection, ShownCertificate } from './upstream-certificate.ts';
export { certificateProblems, seenConnection } from './upstream-certificate.ts';
export { fitsTemplate } from './uri-template.ts';
export type { Facts } from './policy-facts.ts';
export { createPolicySet, type PolicySet } from './policy-set.ts';
export type { PolicyProblem, PolicyTextReport, Statement } from './policy-text.ts';
export { parseStatements, validatePolicyText } from './policy-text.ts';
export type {
  Direction,
  InspectionAction,
  InspectionEntry,
  InspectionEntryInput,
  LimitEntry,
  LimitEntryInput,
  MotionAction,
  Sharing,
} from './rule-entry.ts';
export {
  inspectionAction,
  inspectionEntry,
  inspectionProblem,
  isMotionAction,
  limitEntry,
  SHARINGS,
  stopsCall,
} from './rule-entry.ts';
export { type RequirementEntry, type RequirementEntryInput, requirementEntry } from './requirement-entry.ts';
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
export { contextFacts } from './context-facts.ts';
export type { DecisionChange, WeighedCall, WhatIf } from './what-if.ts';
export { compareDecisions } from './what-if.ts';
export type {
  WebhookEntry,
  WebhookEntryInput,
  WebhookHandshake,
  WebhookPlace,
  WebhookScheme,
  WebhookSchemeInput,
  WebhookVariant,
} from './webhook-entry.ts';
export { WEBHOOK_BODY_BYTES_MAX, webhookEntry, webhookPlace, webhookRate, webhookScheme } from './webhook-entry.ts';
export { type ProxyEntry, proxyEntry, type ProxyEntryInput } from './proxy-entry.ts';
