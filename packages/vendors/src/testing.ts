export { makeDocx, makePdf } from './files/made-files.ts';
export { writeWorkbook } from './files/xlsx-writer.ts';
export { makeCsaf, type MadeEntry, makeProvider } from './monitoring/made-csaf.ts';
export { type MailServer, type ReceivedMail, startMailServer } from './mail/made-mail-server.ts';
export { makeCaiq, type MadeCaiq } from './questionnaire/made-caiq.ts';
