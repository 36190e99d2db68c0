export { sampleCall } from './event-sample.ts';
export { createTestLake } from './lake-fixture.ts';
export type { TestLake } from './lake-fixture.ts';
