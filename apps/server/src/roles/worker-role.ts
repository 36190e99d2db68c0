import {
  createCutOffWorkflow,
  forgetGateways,
  publishRevoked,
  publishTokens,
  readPosition,
  rewrapEstateSecrets,
  sweepBlobs,
  sweepTokens,
  TOKENS_BATCH_MAX,
} from '@cordon/estate';
import { createRetentionWorkflow, createSubjectWorkflow } from '@cordon/governance';
import { createIdentity, type Identity, TOKENS_CHANNEL } from '@cordon/identity';
import {
  acquireLease,
  AUDIT_CHANNEL,
  createSecretEnvelope,
  keyRingFromText,
  type Transaction,
  type Database,
  type Logger,
  openDatabase,
  openWorkflowClient,
  type SecretEnvelope,
  readAudit,
  startWorkflows,
  systemClock,
  uuidv7,
} from '@cordon/kernel';
import { type Lake, type OcsfEvent, openLake, parseEvent } from '@cordon/lake';
import { createLeaverCommands } from '@cordon/lifecycle';
import { rewrapProofKeys } from '@cordon/proof';
import { clearOutbox, createEventOutbox, readOutbox, refuseOutbox } from '../event-outbox.ts';
import { rewrapConnectorSecrets } from '@cordon/connectors';
import { loadConnectors } from './connector-parts.ts';
import { createBackupDuties } from '../backup/backup-duties.ts';
import { createConnectorDuties } from '../worker/connector-duties.ts';
import type { Role, RoleConfig } from '../supervisor/role-config.ts';
import { auditEvent, finishAuditBatch, readAuditCursor, startAuditBatch } from '../worker/audit-events.ts';
import { createLiveClassifier } from '@cordon/detectors';
import { createDlpDuties } from '../worker/dlp-duties.ts';
import { takeStoppedCalls } from '../worker/dlp-calls.ts';
import { createDrillDuties } from '../worker/drill-duties.ts';
import { createDrillLabels } from '../worker/drill-labels.ts';
import { createIncidentDuties } from '../worker/incident-duties.ts';
import { startIngestServer } from '../worker/ingest-server.ts';
import { startWebhookDuties } from '../worker/webhook-duties.ts';
import { withOwnData } from '../worker/own-data.ts';
import { createRetentionTools } from '../worker/retention-tools.ts';
import { createSubjectTools } from '../worker/subject-tools.ts';
import { startDataDuties } from '../worker/data-duties.ts';
import { createLessonTaker } from '../worker/lesson-taker.ts';
import { startDetection } from '../worker/detection-duties.ts';
import { ownEvent } from '../worker/observed-event.ts';
import { startForwarding } from '../worker/forward-duties.ts';
import { startProof } from '../worker/proof-duties.ts';
import { keepLakeShort, RETENTION_EVERY_MS } from '../worker/lake-retention.ts';
import { createDiscoveryDuties } from '../worker/discovery-duties.ts';
import { createLeaverDuties } from '../worker/leaver-duties.ts';
import { startAccessDuties } from '../worker/access-duties.ts';
import { createWorkerEstate } from '../worker/worker-estate.ts';
import { movePorts, operationPort } from './access-ports.ts';
import { createProvisioningDuties } from '../worker/provisioning-duties.ts';
import { repeat } from '../worker/repeating.ts';
import { alertWays } from '../worker/alert-ways.ts';
import { startVendorDuties } from '../worker/vendor-duties.ts';
import { startAssurance } from './assurance-parts.ts';
import { startVendorWatch } from '../worker/vendor-watch-duties.ts';
import { startVault } from '../worker/vault-duties.ts';
import { listEverybody } from '../worker/everybody.ts';
import type { Watch } from '../worker/watch.ts';

const AUDIT_BATCH_MAX = 500;
const OUTBOX_MS = 250;
const AUDIT_MS = 1_000;
const TOKENS_MS = 500;
const SWEEP_MS = 60_000;
const BLOB_AGE_MS = 24 * 3_600_000;
/** Removed entries are remembered for this many versions, so that a control that lagged still sees the removal. */
const TOMBSTONE_VERSIONS = 10_000;

/** Sends what control queued. The batch's id follows from its rows, so a repeat after a crash counts once. */
async function shipOutbox(db: Database, watch: Watch, logger: Logger): Promise<void> {
  for (;;) {
    const rows = await readOutbox(db);
    if (rows.length === 0) return;
    const events: OcsfEvent[] = [];
    for (const { id, event } of rows) {
      try {
        events.push(parseEvent(event));
      } catch (error) {
        logger.error({ err: error, outbox: id }, 'control made an event that is no OCSF event; it was set aside');
        await refuseOutbox(db, id, error instanceof Error ? error.message : String(error));
      }
    }
    const ids = rows.map(({ id }) => id);
    if (events.length > 0) await watch.ingest(`outbox-${ids[0]}-${ids.at(-1)}`, events.map(ownEvent));
    await clearOutbox(db, ids);
  }
}

async function shipAudit(db: Database, watch: Watch): Promise<void> {
  for (;;) {
    const cursor = await readAuditCursor(db);
    const limit = cursor.pending === null ? AUDIT_BATCH_MAX : cursor.pending - cursor.done;
    const records = await readAudit(db, { after: cursor.done, limit });
    const last = records.at(-1);
    if (!last) return;
    await startAuditBatch(db, last.seq);
    const events = records.map((record) => auditEvent(record)).filter((event) => event !== null);
    if (events.length > 0) await watch.ingest(`audit-${cursor.done}-${last.seq}`, events.map(ownEvent));
    await finishAuditBatch(db, last.seq);
  }
}

async function shareTokens(db: Database, identity: Identity): Promise<void> {
  for (;;) {
    const take = (tx: Transaction) => identity.tokens.takeUnpublished(tx, TOKENS_BATCH_MAX);
    const count = await publishTokens(db, take, systemClock.now());
    if (count < TOKENS_BATCH_MAX) return;
  }
}

async function sweep(db: Database, identity: Identity, envelope: SecretEnvelope): Promise<void> {
  const now = systemClock.now();
  const { version } = await readPosition(db);
  await sweepTokens(db, now, Math.max(0, version - TOMBSTONE_VERSIONS));
  await sweepBlobs(db, new Date(now - BLOB_AGE_MS));
  await forgetGateways(db, now);
  await identity.sweep();
  await rewrapEstateSecrets({ db, envelope, clock: systemClock });
  await rewrapConnectorSecrets({ db, envelope });
  await rewrapProofKeys(db, envelope);
}

async function enginesAnswer(db: Database, lake: Lake): Promise<boolean> {
  const database = db.ping().then(
    () => true,
    () => false,
  );
  return !(await Promise.all([database, lake.ping()])).includes(false);
}

/** Ingest, durable workflows, and the duties that keep snapshot and lake in step with the database. */
export async function startWorker(config: RoleConfig, logger: Logger): Promise<Role> {
  // Two at once would take up each other's workflows and put audit records into the lake twice: the second stands by.
  const lost = Promise.withResolvers<string>();
  const onLost = (): void => lost.resolve('another worker holds the lease');
  const lease = await acquireLease({ url: config.databaseUrl, name: 'worker', logger, onLost });
  const db = openDatabase({ url: config.databaseUrl, logger });
  const lake = await openLake({ ...config.lake, logger, clock: systemClock });
  const envelope = createSecretEnvelope(keyRingFromText(config.kek));
  const events = createEventOutbox(db, logger);
  const workflowClient = await openWorkflowClient({ databaseUrl: config.databaseUrl, logger });
  const leaverCommands = createLeaverCommands({ db, clock: systemClock, workflows: workflowClient });
  const identity = createIdentity({
    db,
    clock: systemClock,
    envelope,
    logger,
    config: { publicUrl: config.control.publicUrl, tokenTtlS: config.accessTokenS },
    emit: (event) => events.emit(event),
    onRevoked: (tx, revocation) => publishRevoked(tx, revocation.tokens, systemClock.now()),
    onDisabled: (tx, { actor, person, reason }) => leaverCommands.begin(tx, actor, person, reason),
    ...movePorts(systemClock),
    operations: operationPort(db, () => grantEstate),
  });
  const workerParts = { db, clock: systemClock, envelope, logger, workflows: workflowClient, identity };
  const grantEstate: ReturnType<typeof createWorkerEstate> = createWorkerEstate(workerParts);
  const detection = await startDetection({
    db,
    envelope,
    lake,
    clock: systemClock,
    logger,
    publicUrl: config.control.publicUrl,
    collect: config.worker.collect,
    ...alertWays(config),
    rulesFolder: config.rulesFolder,
    networkFiles: config.networkFiles,
    people: () => listEverybody(identity),
    labelDrills: createDrillLabels({ db, envelope, clock: systemClock }),
    onStored: (stored) => takeStoppedCalls({ db, clock: systemClock }, stored),
  });
  const manifests = await loadConnectors(logger);
  const connectors = createConnectorDuties({
    db,
    clock: systemClock,
    envelope,
    logger,
    manifests,
    ingest: detection.ingest,
  });
  const backup = createBackupDuties({
    db,
    clock: systemClock,
    envelope,
    logger,
    config,
    manifests,
    connectors: connectors.connectors,
    workflows: workflowClient,
    lake,
  });
  const incidents = await createIncidentDuties({
    db,
    clock: systemClock,
    envelope,
    logger,
    lake,
    identity,
    ruleSet: detection.ruleSet,
    backup: backup.playbooks,
    connectorActions: connectors.actions,
    publicUrl: config.control.publicUrl,
  });
  const drills = await createDrillDuties({
    db,
    clock: systemClock,
    envelope,
    logger,
    lake,
    identity,
    parsers: detection.parsers,
    workflows: workflowClient,
    config,
  });
  const provisioning = createProvisioningDuties({
    db,
    clock: systemClock,
    envelope,
    logger,
    identity,
    workflows: workflowClient,
  });
  const leavers = createLeaverDuties({
    provisioning: provisioning.leaver,
    db,
    clock: systemClock,
    envelope,
    logger,
    identity,
    manifests,
    actions: connectors.actions,
    workflows: workflowClient,
  });
  const discovery = createDiscoveryDuties({
    db,
    clock: systemClock,
    envelope,
    logger,
    lake,
    identity,
    manifests,
    actions: connectors.actions,
    workflows: workflowClient,
    publicUrl: config.control.publicUrl,
  });
  const classifier = await createLiveClassifier({ db, envelope, logger });
  const retentionTools = withOwnData(createRetentionTools(connectors.connectors, manifests), {
    db,
    clock: systemClock,
  });
  const dlp = createDlpDuties({
    classifier,
    db,
    clock: systemClock,
    envelope,
    logger,
    connectors: connectors.connectors,
    manifests,
    workflows: workflowClient,
  });
  const workflows = await startWorkflows({
    databaseUrl: config.databaseUrl,
    logger,
    // The same at each start: DBOS takes up at launch what an executor of this name left pending.
    executorId: 'worker',
    definitions: [
      createCutOffWorkflow({ db, clock: systemClock }),
      createRetentionWorkflow({
        db,
        clock: systemClock,
        tools: retentionTools,
      }),
      createSubjectWorkflow({
        db,
        clock: systemClock,
        envelope,
        tools: createSubjectTools({ db, manifests, connectors: connectors.connectors }),
      }),
      ...connectors.definitions,
      ...incidents.definitions,
      ...backup.definitions,
      ...leavers.definitions,
      ...provisioning.definitions,
      ...discovery.definitions,
      ...drills.definitions,
      ...dlp.definitions,
    ],
  });
  const vault = startVault({ db, clock: systemClock, envelope, logger });
  await connectors.start();
  incidents.start();
  backup.start();
  leavers.start();
  provisioning.start();
  const access = startAccessDuties({ identity, logger });
  discovery.start();
  drills.start();
  await dlp.start();
  const assurance = startAssurance({
    db,
    clock: systemClock,
    envelope,
    logger,
    identity,
    publicUrl: config.control.publicUrl,
  });
  const vendorDuties = startVendorDuties({
    db,
    clock: systemClock,
    envelope,
    logger,
    publicUrl: config.control.publicUrl,
    smtpUrl: config.mail.smtpUrl,
    mailFrom: config.mail.from,
  });
  const vendorWatch = startVendorWatch({
    db,
    clock: systemClock,
    envelope,
    lake,
    manifests,
    publicUrl: config.control.publicUrl,
    dnsServers: config.dnsServers,
    logger,
  });
  const outbox = repeat('outbox', OUTBOX_MS, logger, () => shipOutbox(db, detection.watch, logger));
  const audit = repeat('audit export', AUDIT_MS, logger, () => shipAudit(db, detection.watch));
  const tokens = repeat('token publication', TOKENS_MS, logger, () => shareTokens(db, identity));
  const sweeping = repeat('sweep', SWEEP_MS, logger, () => sweep(db, identity, envelope));
  const retention = repeat('lake retention', RETENTION_EVERY_MS, logger, () =>
    keepLakeShort({ db, lake, clock: systemClock, days: config.retentionDays }),
  );
  const proof = startProof({
    db,
    envelope,
    clock: systemClock,
    logger,
    publicUrl: config.control.publicUrl,
    ...(config.proveLake && { lake }),
  });
  const forwarding = startForwarding({ db, lake, envelope, clock: systemClock, logger });
  const auditListener = await db.listen(AUDIT_CHANNEL, () => audit.nudge());
  const tokenListener = await db.listen(TOKENS_CHANNEL, () => tokens.nudge());
  const webhooks = await startWebhookDuties({
    db,
    ingest: detection.ingest,
    clock: systemClock,
    envelope,
    logger,
    onEvent: () => outbox.nudge(),
  });
  const data = await startDataDuties({
    db,
    clock: systemClock,
    envelope,
    logger,
    classifier,
    connectors: connectors.connectors,
  });
  const started = uuidv7();
  const ingest = await startIngestServer({
    watch: detection.watch,
    sources: detection.endpoint,
    webhooks,
    data,
    lessons: createLessonTaker({ db, clock: systemClock, logger }),
    key: config.internalKey,
    host: config.worker.host,
    port: config.worker.port,
    logger,
    ready: () => enginesAnswer(db, lake),
    metrics: () => `# TYPE cordon_worker_info gauge\ncordon_worker_info{start="${started}"} 1\n${detection.metrics()}`,
  });
  return {
    async stop() {
      await ingest.stop();
      await webhooks.stop();
      await data.stop();
      await vault.stop();
      await incidents.stop();
      await backup.stop();
      await connectors.stop();
      await detection.stop();
      await vendorDuties.stop();
      await assurance.stop();
      await vendorWatch.stop();
      await proof.stop();
      await forwarding.stop();
      await leavers.stop();
      await provisioning.stop();
      await access.stop();
      await discovery.stop();
      await drills.stop();
      await dlp.stop();
      classifier.stop();
      await Promise.all([outbox.stop(), audit.stop(), tokens.stop(), sweeping.stop(), retention.stop()]);
      await Promise.all([auditListener.stop(), tokenListener.stop()]);
      await workflows.stop();
      await workflowClient.close();
      await events.stop();
      await lake.close();
      await db.close();
      await lease.release();
    },
    ended: lost.promise,
  };
}
