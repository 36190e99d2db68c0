import { backupMigrations } from '@cordon/backup';
import { connectorsMigrations } from '@cordon/connectors';
import { detectionMigrations } from '@cordon/detection';
import { ownDetectorMigrations } from '@cordon/detectors';
import { dlpMigrations } from '@cordon/dlp';
import { drillsMigrations } from '@cordon/drills';
import { discoveryMigrations } from '@cordon/discovery';
import { enrichmentMigrations } from '@cordon/enrichment';
import { estateMigrations } from '@cordon/estate';
import { governanceMigrations } from '@cordon/governance';
import { identityMigrations } from '@cordon/identity';
import { incidentsMigrations } from '@cordon/incidents';
import { kernelMigrations, type Migrations } from '@cordon/kernel';
import { lifecycleMigrations } from '@cordon/lifecycle';
import { proofMigrations } from '@cordon/proof';
import { reviewMigrations } from '@cordon/review';
import { webhookMigrations } from '@cordon/webhooks';
import { vendorsMigrations } from '@cordon/vendors';
import { serverMigrations } from '../event-outbox.ts';

/** In the order of dependence. */
export const allMigrations: readonly Migrations[] = [
  kernelMigrations,
  identityMigrations,
  estateMigrations,
  detectionMigrations,
  enrichmentMigrations,
  connectorsMigrations,
  governanceMigrations,
  ownDetectorMigrations,
  dlpMigrations,
  proofMigrations,
  lifecycleMigrations,
  webhookMigrations,
  incidentsMigrations,
  vendorsMigrations,
  backupMigrations,
  drillsMigrations,
  discoveryMigrations,
  reviewMigrations,
  serverMigrations,
];
