import type { Migrations } from '@cordon/kernel';

export const connectorsMigrations: Migrations = {
  name: 'connectors',
  folder: new URL('../migrations/', import.meta.url),
};
