import type { Migrations } from '@cordon/kernel';

export const ownDetectorMigrations: Migrations = {
  name: 'detectors',
  folder: new URL('../migrations/', import.meta.url),
};
