export {
  createOwnDetectorCommands,
  type OwnContent,
  type OwnDetectorCommands,
  type OwnDetectorDeps,
} from './detector-commands.ts';
export { OWN_KINDS, ownDetectorChange, ownDetectorInput, tryInput } from './detector-input.ts';
export { listOwnDetectors, type OwnDetector, readPackedDetector } from './detector-store.ts';
export { OwnDetectorConflict, ownDetectorErrors, OwnDetectorInvalid, OwnDetectorUnknown } from './errors.ts';
export { createLiveClassifier, type LiveClassifier } from './live-classifier.ts';
export { ownDetectorMigrations } from './migrations.ts';
