import type { Migrations } from './migration.ts';

export const kernelMigrations: Migrations = { name: 'kernel', folder: new URL('../migrations/', import.meta.url) };
