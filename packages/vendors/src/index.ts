export { checkContract, type ClauseResult, type Clock, type ContractCheck, type Span } from './contract/check.ts';
export { type Clause, loadClauses } from './contract/clause.ts';
export { vendorsErrors } from './errors.ts';
export { createFileReader, type FileReader } from './files/file-reader.ts';
export { FILE_BYTES_MAX } from './files/limits.ts';
export { type ExportedAnswer, writeAnswers } from './questionnaire/export.ts';
export { exportQuestionnaire, importQuestionnaire, readWorkbookFile } from './questionnaire/import.ts';
export type { ImportedQuestion, ImportedQuestionnaire } from './questionnaire/imported.ts';
export { type MappingInput, mappingInput, outlineWorkbook } from './questionnaire/mapped.ts';
