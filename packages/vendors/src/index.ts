export { type Assurance, createAssurance } from './assurance.ts';
export { attestationDecision } from './attestation/attestation-commands.ts';
export {
  type Attestation,
  type AttestationFacts,
  attestationFacts,
  type AttestationReading,
  type Standing,
  standingOf,
} from './attestation/attestation.ts';
export { listAttestations, loadAttestation } from './attestation/attestation-store.ts';
export { auditPlan, auditResultInput } from './attestation/audit-commands.ts';
export { type Audit, type AuditRun, listAudits, listRuns } from './attestation/audit-store.ts';
export { listWarnings, warnOwners } from './attestation/assurance-warnings.ts';
export { type Checklist, loadChecklists } from './attestation/checklist.ts';
export { type AttestationKind, loadAttestationKinds } from './attestation/kind.ts';
export { readAttestation } from './attestation/read-attestation.ts';
export { type AttestationWarning, attestationWarnings } from './attestation/warnings.ts';
export type { CutOffProof, EstatePort, VendorsContext } from './context.ts';
export { checkContract, type ClauseResult, type Clock, type ContractCheck, type Span } from './contract/check.ts';
export { type Clause, loadClauses } from './contract/clause.ts';
export {
  confirmationInput,
  type Contract,
  type ContractClock,
  listContractClocks,
  listContracts,
  loadContract,
} from './contract/contract-commands.ts';
export { vendorsErrors } from './errors.ts';
export { createExportCommands, type ExportCommands } from './export/export-commands.ts';
export { verifyPdf } from './export/pdf.ts';
export { createFileReader, type FileReader } from './files/file-reader.ts';
export { FILE_BYTES_MAX } from './files/limits.ts';
export { queueMail, type SendMail, sendQueued } from './mail/mail-queue.ts';
export { createSmtpSender } from './mail/smtp-sender.ts';
export {
  badClientInput,
  type ClientGrant,
  checkBadClients,
  createBadClientCommands,
  type FindClientGrants,
  listBadClients,
} from './monitoring/bad-clients.ts';
export { AddressRefused } from './monitoring/csaf-walk.ts';
export {
  createFeedCommands,
  type Feed,
  type FeedContext,
  feedInput,
  type FeedWay,
  listFeeds,
  pollFeeds,
} from './monitoring/feeds.ts';
export { hostObservation, problemsOf } from './monitoring/host.ts';
export { dueNow, listHosts, type WatchedHost } from './monitoring/host-store.ts';
export { listNews, NEWS_KINDS } from './monitoring/news.ts';
export {
  type CaseNotice,
  listNotices,
  type NoticeContext,
  type OpenNoticeCase,
  receiveVendorNotice,
  recordCaseNotice,
  vendorNoticeInput,
} from './monitoring/notices.ts';
export { createAddressLookup, createCaaLookup, probeHost, type ProbeReach } from './monitoring/probe.ts';
export { type AppHost, type WatchContext, watchHosts } from './monitoring/watch-hosts.ts';
export {
  type Finding,
  FINDING_STATES,
  type FindingState,
  isOverdue,
  isUnresolved,
  SEVERITIES,
  type Severity,
} from './pentest/finding.ts';
export { findingChange, findingMove, findingRemark } from './pentest/finding-commands.ts';
export { type FindingEntry, listEntries } from './pentest/finding-entry.ts';
export { findingMapping, outlineFindings } from './pentest/finding-import.ts';
export { findingInvite, portalReply } from './pentest/finding-portal.ts';
export { type FindingFilter, listFindings, loadFinding } from './pentest/finding-store.ts';
export { findingInput } from './pentest/new-finding.ts';
export { pentestInput } from './pentest/pentest-commands.ts';
export { listPentests, loadPentest, type Pentest } from './pentest/pentest-store.ts';
export { loadSeverityPolicy, severityPolicy } from './pentest/severity-policy.ts';
export { sweepSessions } from './portal/entrance.ts';
export { listFindingLinks, listLinks, type PortalLink } from './portal/link.ts';
export { type ExportedAnswer, writeAnswers } from './questionnaire/export.ts';
export {
  answerValue,
  type Form,
  formSchema,
  LANGUAGES,
  loadForms,
  progressOf,
  visibleQuestions,
} from './questionnaire/form.ts';
export { exportQuestionnaire, importQuestionnaire, readWorkbookFile } from './questionnaire/import.ts';
export type { ImportedQuestion, ImportedQuestionnaire } from './questionnaire/imported.ts';
export { type MappingInput, mappingInput, outlineWorkbook } from './questionnaire/mapped.ts';
export { sendInput } from './questionnaire/questionnaire-commands.ts';
export {
  answersMap,
  listAnswers,
  listComments,
  listQuestionnaires,
  loadQuestionnaire,
  type Questionnaire,
} from './questionnaire/questionnaire-store.ts';
export { remindVendors } from './questionnaire/reminders.ts';
export { listFiles, openFile, type VendorFile } from './register/file-store.ts';
export { concentrate } from './register/fourth-parties.ts';
export { STAGES, type Vendor, vendorInput, vendorPatch, vendorProfile } from './register/vendor.ts';
export type { Upload } from './register/vendor-commands.ts';
export { listDependences, listSubprocessors, listTasks, listVendors, loadVendor } from './register/vendor-store.ts';
export { rewrapVendorSecrets } from './rewrap.ts';
export { loadRules } from './score/contradiction.ts';
export type { Observe, Observed } from './score/observed.ts';
export { loadRegions } from './score/regions.ts';
export { createScoreCommands, type ScoreCommands, type Weighed } from './score/score-commands.ts';
export { latestScores, listScores, scoreRow } from './score/score-store.ts';
export { DATA_LABELS, loadWeights } from './score/weights.ts';
export { createVendors, type Vendors, vendorsMigrations } from './vendors.ts';
