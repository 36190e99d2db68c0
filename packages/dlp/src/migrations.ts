import type { Migrations } from '@cordon/kernel';

export const dlpMigrations: Migrations = {
  name: 'dlp',
  folder: new URL('../migrations/', import.meta.url),
};
