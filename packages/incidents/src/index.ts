export type {
  ActPorts,
  ActionPort,
  IntegrationView,
  MessageInput,
  PersonView,
  Reach,
  ReadPorts,
  SearchSummary,
} from './actions/ports.ts';
export { type Action, type ActionTable, type AnyAction, defineAction } from './actions/action.ts';
export { createActionTable } from './actions/action-table.ts';
export { closedTransport, type Transport } from './actions/transport.ts';
export { checkPlaybook, type PlaybookProblem, problemText } from './cacao/check-playbook.ts';
export { parsePlaybook, type Playbook, PLAYBOOK_BYTES_MAX, readPlaybook, writePlaybook } from './cacao/playbook.ts';
export { createSchemaCheck } from './cacao/schema-check.ts';
export { missingInputs } from './engine/run-commands.ts';
export { neededInputs } from './cacao/variables.ts';
export {
  CASE_STATUSES,
  type CaseInput,
  caseInput,
  type CaseMetrics,
  casePatch,
  ENTRY_KINDS,
  entryInput,
  type IncidentCase,
  LINK_KINDS,
  linkInput,
  markInput,
  MARKS,
  medianMetrics,
  metricsOf,
  ORIGINS,
  reviewInput,
  SEVERITIES,
  taskInput,
  taskPatch,
  TLPS,
} from './cases/case.ts';
export { type CaseCommands, createCaseCommands, markCase, openCase } from './cases/case-commands.ts';
export { createCasePorts } from './cases/case-ports.ts';
export {
  addEntry,
  addLinks,
  CASE_PAGE_MAX,
  listCases,
  listEntries,
  listEvidence,
  listLinks,
  listTasks,
  loadCase,
} from './cases/case-store.ts';
export { createEvidence, type Evidence, EVIDENCE_BYTES_MAX } from './cases/evidence.ts';
export {
  type Channel,
  type ChannelCommands,
  channelInput,
  createChannelCommands,
  listChannels,
  listMessages,
  queueMessage,
  sendMessages,
} from './cases/message.ts';
export { ocsfIncident } from './cases/ocsf-export.ts';
export { stixBundle } from './cases/stix-export.ts';
export { FACTS, FACT_NAMES, type CaseFacts, factsInput, MOMENTS } from './communication/fact.ts';
export { type DutyBook, loadDuties } from './communication/duty.ts';
export {
  caseDuties,
  type ContractTerm,
  type ContractTerms,
  createDutyCommands,
  type DutyCommands,
  type DutyContext,
  dutyRecordInput,
  type DutyState,
  dutyWaiverInput,
  warnOfDuties,
} from './communication/case-duties.ts';
export {
  type Contact,
  CONTACT_KINDS,
  type ContactCommands,
  contactInput,
  createContactCommands,
  escalate,
  isReachable,
  listContacts,
  outreachInput,
  testDueContacts,
} from './communication/contact.ts';
export {
  type BlastRadius,
  type FindBlastRadius,
  NOTICE_CHARS_MAX,
  noticeInput,
  receiveNotice,
} from './communication/notice.ts';
export { fieldsOf, loadTemplates, render, type Template } from './communication/template.ts';
export { ActionFailed, IncidentsError, incidentsErrors, NotAvailable, PlaybookInvalid } from './errors.ts';
export { commandKind, refusals } from './engine/command-plan.ts';
export { driveRun } from './engine/interpreter.ts';
export {
  createPlaybookLibrary,
  type PlaybookLibrary,
  type PlaybookSummary,
  triggersOf,
} from './engine/playbook-library.ts';
export { answerInput, createRunCommands, decisionInput, type RunCommands, runInput } from './engine/run-commands.ts';
export { listActs, listRuns, loadRun, RUN_PAGE_MAX } from './engine/run-store.ts';
export { createRunWorkflow, type RunEngine, runWorkflow, wakeDueRuns, wakeRun } from './engine/run-workflow.ts';
export { type Act, ACT_STATUSES, createMemoryJournal, type Decision, type Run, RUN_STATUSES } from './engine/run.ts';
export { incidentsMigrations } from './tables.ts';
