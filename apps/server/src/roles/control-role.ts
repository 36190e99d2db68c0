import { randomBytes } from 'node:crypto';
import { backupErrors } from '@cordon/backup';
import { connectorsErrors } from '@cordon/connectors';
import {
  createAlertCommands,
  createBehaviourCommands,
  createRuleCommands,
  createSourceCommands,
  createEventRetentionCommands,
  createForwardCommands,
  createTargetCommands,
  detectionErrors,
  watchErrors,
} from '@cordon/detection';
import {
  createEstate,
  type Estate,
  estateErrors,
  listApps,
  publishRevoked,
  startSnapshotService,
} from '@cordon/estate';
import {
  createAuthenticate,
  createIdentity,
  fetchPublicJson,
  identityErrors,
  identityRoutes,
  OAUTH_ROUTES,
  scimRoutes,
  signalEndpoints,
  SSF_METADATA_PATH,
} from '@cordon/identity';
import {
  type Clock,
  createSecretEnvelope,
  type Database,
  kernelErrors,
  keyRingFromText,
  type Logger,
  openDatabase,
  openWorkflowClient,
  type SecretEnvelope,
  systemClock,
} from '@cordon/kernel';
import { drillsErrors } from '@cordon/drills';
import { discoveryErrors } from '@cordon/discovery';
import { createThreatCommands, enrichmentErrors } from '@cordon/enrichment';
import { ownDetectorErrors, readPackedDetector } from '@cordon/detectors';
import { dlpErrors } from '@cordon/dlp';
import { governanceErrors } from '@cordon/governance';
import { checkQuery, lakeErrors, openLake } from '@cordon/lake';
import { incidentsErrors } from '@cordon/incidents';
import { openApiErrors } from '@cordon/openapi';
import { createLeaverCommands, lifecycleErrors } from '@cordon/lifecycle';
import { createWitnessCommands, proofErrors } from '@cordon/proof';
import { policyErrors, PolicyTextInvalid, readBuiltIn, validatePolicyText } from '@cordon/policy';
import { reviewErrors } from '@cordon/review';
import { webhookErrors } from '@cordon/webhooks';
import { createAuditLog } from '../audit-log.ts';
import { createLakeLog } from '../lake-log.ts';
import { vendorsErrors } from '@cordon/vendors';
import { createAssuranceParts } from './assurance-parts.ts';
import { createVendorParts } from './vendor-parts.ts';
import { createVendorInsight } from './vendor-insight-parts.ts';
import { createGatewayChannel } from '../control/gateway-channel.ts';
import { createOperatorAccess } from '../control/operator-access.ts';
import { createClientDirectory } from '../control/client-directory.ts';
import { createDescriptionCompiler } from '../control/description-compiler.ts';
import { createSourceForward } from '../control/source-forward.ts';
import { type DetectionContent, knowsProduct, loadDetectionContent } from '../detection-content.ts';
import { createEventOutbox } from '../event-outbox.ts';
import { createApiServer } from '../http/api-server.ts';
import { addConsole } from '../http/console-files.ts';
import { addRoutes } from '../http/routes.ts';
import { createCommunicationParts } from './communication-parts.ts';
import { createBackupParts } from '../backup/backup-parts.ts';
import { createDataParts } from './data-parts.ts';
import { createDetectorParts } from './detector-parts.ts';
import { createDlpParts } from './dlp-parts.ts';
import { createDrillParts } from './drill-parts.ts';
import { createIncidentParts } from './incident-parts.ts';
import { movePorts, operationPort } from './access-ports.ts';
import { createAccessParts } from './access-parts.ts';
import { createConnectorParts } from './connector-parts.ts';
import { createDiscoveryParts, type DiscoveryPeople } from './discovery-parts.ts';
import { createGraphParts } from './graph-parts.ts';
import { operationsOf } from './app-operations.ts';
import { signInPorts } from './sign-in-parts.ts';
import { clientPorts, clientSettings, openMtlsListener } from './strong-client-parts.ts';
import type { Role, RoleConfig } from '../supervisor/role-config.ts';
import { createProvisioningParts } from './provisioning-parts.ts';
import { createDeclaredWebhooks, createWebhookParts } from './webhook-parts.ts';
import { createVendorClient } from '../vault/vendor-client.ts';

/** People whose addresses the graph joins with accounts of tools. */
const PEOPLE_MAX = 10_000;

function createPolicyCheck(): (text: string) => void {
  const { schema } = readBuiltIn();
  return (text) => {
    const report = validatePolicyText(text, schema);
    if (!report.valid) throw new PolicyTextInvalid('The Cedar policy is not valid.', { problems: report.problems });
  };
}

function createWatchCommands(db: Database, clock: Clock, envelope: SecretEnvelope, content: DetectionContent) {
  const { parsers, ruleSet } = content;
  const ids = new Set([...ruleSet.rules, ...ruleSet.correlations].map(({ id }) => id));
  return {
    ruleSet,
    content,
    alerts: createAlertCommands({ db, clock }),
    behaviour: createBehaviourCommands({ db, clock }),
    rules: createRuleCommands({ db, clock, knows: (id) => ids.has(id) }),
    targets: createTargetCommands({ db, clock, envelope }),
    sources: createSourceCommands({
      db,
      clock,
      envelope,
      random: randomBytes,
      knowsProduct: (name) => knowsProduct(parsers, name),
    }),
  };
}

/** Console, HTTP API, authorization server, and the channel to the gateways. Keeps no state of its own. */
export async function startControl(config: RoleConfig, logger: Logger): Promise<Role> {
  const clock: Clock = systemClock;
  const db = openDatabase({ url: config.databaseUrl, logger });
  const envelope = createSecretEnvelope(keyRingFromText(config.kek));
  const lake = await openLake({ ...config.lake, logger, clock });
  const workflows = await openWorkflowClient({ databaseUrl: config.databaseUrl, logger });
  const outbox = createEventOutbox(db, logger);
  const leavers = createLeaverCommands({ db, clock, workflows });
  const signInFacts = await signInPorts(db, config.networkFiles, logger);
  const identity = createIdentity({
    db,
    clock,
    envelope,
    logger,
    config: { publicUrl: config.control.publicUrl, tokenTtlS: config.accessTokenS, ...clientSettings(config) },
    ...clientPorts(db, clock),
    ...signInFacts,
    ...movePorts(clock),
    operations: operationPort(db, () => estate),
    emit: (event) => outbox.emit(event),
    onRevoked: (tx, revocation) => publishRevoked(tx, revocation.tokens, clock.now()),
    checkIntegration: (actor, id) => estate.integrations.checkCredentials(actor, id),
    onDisabled: (tx, { actor, person, reason }) => leavers.begin(tx, actor, person, reason),
    fetchJson: fetchPublicJson,
  });
  const estate: Estate = createEstate(
    {
      db,
      clock,
      envelope,
      logger,
      workflows,
      compile: createDescriptionCompiler(),
      vendor: createVendorClient(envelope, clock),
      publicUrl: config.control.publicUrl,
      webhooks: await createDeclaredWebhooks({ db, clock, envelope }),
      endAccess: (tx, input) => identity.oauthClients.endAccess(tx, input),
      restoreAccess: (tx, input) => identity.oauthClients.restoreAccess(tx, input),
    },
    createPolicyCheck(),
  );
  const snapshots = await startSnapshotService({ db, envelope, logger, now: clock.now() });
  const oauth = await identity.startOauthServer();
  const sso = await identity.sso.start();
  const signals = await identity.signals.start();
  const channel = createGatewayChannel({
    db,
    snapshots,
    key: config.internalKey,
    clock,
    logger,
    renewCredential: (id, generation) => estate.vault.renewals.renewRefused(id, generation),
    ownDetector: (sha256) => readPackedDetector(db, sha256),
    reportMcpItems: (report) => estate.mcp.report(report),
    reportCertificate: (report) => estate.certificates.report(report),
    consumeApproval: (sha256, requestId) => identity.approvals.consume(sha256, requestId),
    noteLock: (lock) => identity.guard.note(lock),
    tokenForCertificate: (certificate) => oauth.tokenForCertificate(certificate),
    findToken: async (sha256) => {
      const token = await identity.tokens.find(sha256);
      if (!token) return null;
      const { integrationId, clientId, expiresAt, cnf, scope, assurance, audience, approval } = token;
      return {
        integrationId,
        clientId,
        expiresAt,
        cnf,
        scope: [...scope],
        assurance,
        audience: [...audience],
        approval,
      };
    },
  });
  const forward = createSourceForward(config.worker.internalUrl, logger);
  const content = await loadDetectionContent(logger, config.rulesFolder);
  const watch = createWatchCommands(db, clock, envelope, content);
  const checkForward = (query: string): void => checkQuery({ query }, clock.now());
  const forwards = createForwardCommands({ db, clock, envelope, checkQuery: checkForward });
  const isOauth = (path: string): boolean =>
    path.startsWith('/oauth/') || (path.startsWith('/.well-known/') && path !== SSF_METADATA_PATH);
  const { server, routes } = await createApiServer({
    logger,
    clock,
    publicUrl: config.control.publicUrl,
    authenticate: createAuthenticate(identity),
    errorTables: [
      kernelErrors,
      identityErrors,
      estateErrors,
      policyErrors,
      openApiErrors,
      lakeErrors,
      detectionErrors,
      watchErrors,
      webhookErrors,
      connectorsErrors,
      incidentsErrors,
      backupErrors,
      drillsErrors,
      proofErrors,
      governanceErrors,
      dlpErrors,
      ownDetectorErrors,
      lifecycleErrors,
      vendorsErrors,
      discoveryErrors,
      reviewErrors,
      enrichmentErrors,
    ],
    divert: {
      matches: (path) => channel.matches(path) || isOauth(path) || path.startsWith('/sso/') || forward.matches(path),
      handle(request, response) {
        const path = (request.url ?? '').split('?', 1)[0] ?? '';
        if (channel.matches(path)) {
          channel.handle(request, response);
          return;
        }
        if (forward.matches(path)) {
          forward.handle(request, response);
          return;
        }
        (path.startsWith('/sso/') ? sso : oauth).handle(request, response).catch((error: unknown) => {
          logger.error({ err: error }, 'the authorization server failed');
          response.destroy();
        });
      },
    },
  });
  const connectors = await createConnectorParts({
    db,
    clock,
    envelope,
    workflows,
    logger,
    sources: watch.sources,
    parsers: content.parsers,
  });
  const people: DiscoveryPeople = (actor) => identity.people.list(actor, { limit: PEOPLE_MAX });
  const accessParts = createAccessParts({
    db,
    clock,
    lake,
    estate,
    snapshots,
    operationsOf: (appId) => operationsOf(db, appId),
  });
  addRoutes(server, {
    ...createVendorParts({ db, clock, envelope, estate, publicUrl: config.control.publicUrl }),
    ...createAssuranceParts({ db, clock, envelope, estate, publicUrl: config.control.publicUrl }),
    vendorInsight: createVendorInsight({
      db,
      clock,
      envelope,
      lake,
      publicUrl: config.control.publicUrl,
      manifests: connectors.manifests,
      dnsServers: config.dnsServers,
    }),
    forwards,
    threats: createThreatCommands({ db, clock }),
    eventRetention: createEventRetentionCommands({ db, clock, checkQuery: checkForward }),
    retentionDays: config.retentionDays,
    db,
    clock,
    estate,
    lake,
    snapshots,
    clients: createClientDirectory(identity),
    tokenEndpoint: `${config.control.publicUrl}${OAUTH_ROUTES.token}`,
    gatewayUrl: config.gateway.publicUrl,
    webhookParts: await createWebhookParts({ db, clock, envelope }),
    publicUrl: config.control.publicUrl,
    operationsOf: (appId) => operationsOf(db, appId),
    ...watch,
    ...connectors,
    ...accessParts,
    ...createDiscoveryParts({
      db,
      clock,
      envelope,
      workflows,
      estate,
      people,
      publicUrl: config.control.publicUrl,
      manifests: connectors.manifests,
      access: accessParts.access,
    }),
    ...createGraphParts({
      db,
      clock,
      lake,
      estate,
      ...connectors,
      people,
      operationsOf: (appId) => operationsOf(db, appId),
    }),
    ...createBackupParts({ db, clock, envelope, workflows, config }),
    ...(await createDrillParts({ db, clock, envelope, workflows })),
    ...createIncidentParts({ db, clock, envelope, workflows }),
    ...createCommunicationParts({ db, clock, envelope, publicUrl: config.control.publicUrl }),
    lakeLog: createLakeLog({ db, envelope, clock, publicUrl: config.control.publicUrl }),
    auditLog: createAuditLog({ db, envelope, clock, publicUrl: config.control.publicUrl }),
    witnesses: createWitnessCommands({ db, clock }),
    dataParts: createDataParts({ db, clock, envelope, workflows }),
    ...createDetectorParts({ db, clock, envelope, logger }),
    dlp: createDlpParts({ db, clock, envelope, workflows, manifests: connectors.manifests }),
    leavers,
    ...createProvisioningParts({ db, clock, envelope, workflows, identity }),
    serviceAccounts: { clock, identity },
  });
  await server.register(identityRoutes(identity));
  await server.register(scimRoutes(identity));
  await server.register(signalEndpoints(identity));
  await addConsole(server);
  const operator =
    config.control.operatorAccess === 'file'
      ? createOperatorAccess({ identity, dataDir: config.dataDir, clock, logger })
      : null;
  await operator?.prepare();
  const mtls = await openMtlsListener(config, oauth, logger);
  await server.listen({ host: config.control.host, port: config.control.port });
  logger.info({ routes: routes.length, apps: (await listApps(db)).length }, 'control serves');
  return {
    async stop() {
      channel.close();
      await server.close();
      await mtls?.stop();
      await operator?.stop();
      await oauth.stop();
      await sso.stop();
      await signals.stop();
      await outbox.stop();
      await snapshots.stop();
      await workflows.close();
      await lake.close();
      await db.close();
    },
  };
}
