export { makeDocx, makePdf } from './files/made-files.ts';
