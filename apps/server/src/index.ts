export { describeApi } from './api-document.ts';
export { httpErrors } from './http/access.ts';
