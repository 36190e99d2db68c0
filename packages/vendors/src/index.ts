export {
  type Attestation,
  type AttestationFacts,
  type AttestationReading,
  type Standing,
  standingOf,
} from './attestation/attestation.ts';
export { listAttestations, loadAttestation } from './attestation/attestation-store.ts';
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
export { createFileReader, type FileReader } from './files/file-reader.ts';
export { FILE_BYTES_MAX } from './files/limits.ts';
export { type SendMail, sendQueued } from './mail/mail-queue.ts';
export { createSmtpSender } from './mail/smtp-sender.ts';
export {
  type Finding,
  FINDING_STATES,
  type FindingState,
  isOverdue,
  isUnresolved,
  SEVERITIES,
  type Severity,
} from './pentest/finding.ts';
export { type FindingFilter, listFindings, loadFinding } from './pentest/finding-store.ts';
export { sweepSessions } from './portal/entrance.ts';
export { listLinks, type PortalLink } from './portal/link.ts';
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
export { createVendors, type Vendors, vendorsMigrations } from './vendors.ts';
