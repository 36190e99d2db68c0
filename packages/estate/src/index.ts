export { type App, appInput, appPatch, appSettings } from './app.ts';
export { DESCRIPTION_BYTES_MAX } from './app-commands.ts';
export { findApp, listApps, loadApp, readBlob, readDescription, sweepBlobs } from './app-store.ts';
export type { DeclaredWebhooks, EstateContext } from './context.ts';
export { createCutOffWorkflow } from './cut-off.ts';
export { listIntegrationsOf, ORPHAN_DAYS, succeed, type Succession, suspendOrphans } from './succession.ts';
export { type CutOff, type GatewayReach, listCutOffs } from './cut-off-store.ts';
export { DECLARED_KINDS, type Declaration, parseDeclaration, type PlannedChange, planChanges } from './declaration.ts';
export { createEstate, type Estate } from './estate.ts';
export { estateErrors, NotFound, StateConflict } from './errors.ts';
export {
  forgetGateways,
  GATEWAY_GONE_MS,
  gatewayReport,
  type GatewayStatus,
  listGateways,
  readUpstreams,
  saveReport,
} from './gateway-status.ts';
export { type Grant, grantInput } from './grant.ts';
export { listGrants, loadGrant } from './grant-store.ts';
export { SCHEMA_BYTES_MAX } from './graphql/graphql-schema.ts';
export { findGraphqlSchema, type GraphqlSchemaSummary } from './graphql/graphql-store.ts';
export { type Integration, integrationInput, integrationPatch } from './integration.ts';
export { findIntegration, listIntegrations, loadIntegration } from './integration-store.ts';
export { acceptInput, proposalInput } from './learning/learning-commands.ts';
export { parseLessons } from './learning/lesson.ts';
export type { LearningProposal } from './learning/proposal.ts';
export { takeLessons } from './learning/take-lessons.ts';
export { GRANT_PLACES, type McpItem, type McpItemView, mcpDecision } from './mcp/mcp-item.ts';
export { listMcpItems } from './mcp/mcp-store.ts';
export { estateMigrations } from './migrations.ts';
export { publish, readPosition, SNAPSHOT_CHANNEL } from './publication.ts';
export { rewrapEstateSecrets } from './rewrap.ts';
export { type Rule, ruleInputs } from './rule.ts';
export { listRules, loadRule } from './rule-store.ts';
export { type SnapshotService, startSnapshotService } from './snapshot-service.ts';
export type { RuleKind } from './tables.ts';
export {
  type LiveToken,
  publishRevoked,
  publishTokens,
  publishUnlocked,
  sweepTokens,
  TOKENS_BATCH_MAX,
} from './token-publication.ts';
export { connectionAnswer, redirectUri } from './vault/connection.ts';
export { CREDENTIAL_KINDS, type CredentialInput, credentialInput } from './vault/credential-input.ts';
export type { CredentialStatus } from './vault/credential-status.ts';
export { createRenewals, type RenewalResult, type Renewals } from './vault/renewal.ts';
export { createRotation } from './vault/rotation.ts';
export { rotationInput } from './vault/vault-commands.ts';
export { listCredentials } from './vault/vault-store.ts';
export type { Reach, VendorAnswer, VendorClient, VendorRequest } from './vault/vendor-client.ts';
export type { ProxyPatch, ProxySettings } from './proxy/proxy-commands.ts';
export { actionFor, planCut, type CutTarget, type ToolAction } from './graph/cut-plan.ts';
export { type Cut, listCuts } from './graph/cut-store.ts';
export { buildGraph } from './graph/graph.ts';
export { createGraphCommands, type CutPorts, type GraphCommands } from './graph/graph-commands.ts';
export type { EntityFact, GraphPorts, ToolFact } from './graph/graph-facts.ts';
export { CLASSIFICATIONS, EDGE_NAMES, type GraphEdge, type GraphNode, NODE_KINDS } from './graph/node.ts';
export { answerPaths, pathQuestion } from './graph/path-question.ts';
export { blastRadius } from './graph/radius.ts';
export { type AccessCommands, type AccessPorts, createAccessCommands, whatIfInput } from './access/access-commands.ts';
export { listAccessChanges } from './access/access-store.ts';
export type { OperationTable } from './access/used.ts';
