import type { Migrations } from '@cordon/kernel';

export const governanceMigrations: Migrations = {
  name: 'governance',
  folder: new URL('../migrations/', import.meta.url),
};
