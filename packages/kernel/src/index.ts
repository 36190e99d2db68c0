export {
  type Actor,
  authorize,
  authorizeOwn,
  describeActor,
  isAllowed,
  type Permission,
  PERMISSIONS,
  requireStepUp,
  type Role,
  ROLES,
  STEP_UP_AGE_MS_MAX,
} from './actor.ts';
export {
  appendAudit,
  AUDIT_CHANNEL,
  AUDIT_PAGE_MAX,
  type AuditEntry,
  type AuditQuery,
  type AuditRecord,
  type AuditTarget,
  readAudit,
  verifyAudit,
} from './audit.ts';
export { canonicalJson } from './canonical.ts';
export { certificateEnd, createAuthority, issueServerCertificate, type PemPair } from './certificate-authority.ts';
export {
  type CertificateTrust,
  certificateUris,
  issueClientCertificate,
  type IssuedCertificate,
  makeCertificateRequest,
  thumbprintOfCertificate,
  verifyClientCertificate,
} from './client-certificate.ts';
export { type Clock, systemClock } from './clock.ts';
export { type Config, CONFIG_ENVIRONMENT, type ConfigKey, describeConfig, parseConfig } from './config.ts';
export {
  type Database,
  type DatabaseOptions,
  NOTIFY_BYTES_MAX,
  openDatabase,
  type Queryable,
  type Transaction,
} from './database.ts';
export { type EmbeddedPostgres, type EmbeddedPostgresOptions, startEmbeddedPostgres } from './embedded-postgres.ts';
export {
  AccessDenied,
  AuditBroken,
  CertificateRequestInvalid,
  ConfigInvalid,
  CordonError,
  type ErrorRule,
  type ErrorTable,
  IdInvalid,
  kernelErrors,
  MigrationConflict,
  PostgresUnavailable,
  type Problem,
  ruleFor,
  SecretUnreadable,
  StepUpRequired,
  toProblem,
} from './errors.ts';
export {
  AppId,
  CredentialId,
  defineId,
  EventId,
  GrantId,
  type Id,
  type IdKind,
  InspectionRuleId,
  IntegrationId,
  LimitId,
  PersonId,
  PolicyId,
  SessionId,
  timeOfId,
  uuidv7,
} from './id.ts';
export { acquireLease, type Lease, type LeaseOptions } from './lease.ts';
export { createLogger, hideSecrets, type Logger, type LoggerOptions } from './logger.ts';
export { listMigrations, migrate, type Migrations } from './migration.ts';
export { kernelMigrations } from './migrations.ts';
export {
  addKeyToFile,
  createSecretEnvelope,
  type KeyRing,
  keyRingFromText,
  loadKeyFile,
  type SecretEnvelope,
} from './secret-envelope.ts';
export {
  type AnyWorkflow,
  openWorkflowClient,
  startWorkflows,
  type WorkflowClient,
  type WorkflowDefinition,
  type WorkflowRun,
  type WorkflowRunner,
  type WorkflowSteps,
} from './workflow.ts';
