export { describeApi } from './api-document.ts';
