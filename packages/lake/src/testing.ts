export { sampleCall } from './event-sample.ts';
