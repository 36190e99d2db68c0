import type { Migrations } from '@cordon/kernel';

export const estateMigrations: Migrations = { name: 'estate', folder: new URL('../migrations/', import.meta.url) };
