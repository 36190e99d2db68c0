import type { Estate, SnapshotService } from '@cordon/estate';
import type { Clock, Database } from '@cordon/kernel';
import type { Lake } from '@cordon/lake';
import { addConnectorRoutes, type ConnectorRouteDeps } from './connector-routes.ts';
import { addAccessUseRoutes, type AccessUseRouteDeps } from './access-use-routes.ts';
import { addAlertRoutes, type AlertRouteDeps } from './alert-routes.ts';
import type { ApiServer } from './api-type.ts';
import { addBehaviourRoutes, type BehaviourRouteDeps } from './behaviour-routes.ts';
import { addAppRoutes, type AppRouteDeps } from './app-routes.ts';
import { addCommunicationRoutes, type CommunicationRouteDeps } from './communication-routes.ts';
import { addCaseRoutes, type CaseRouteDeps } from './case-routes.ts';
import { addDataMapRoutes } from './data-map-routes.ts';
import { addDataRecordRoutes } from './data-record-routes.ts';
import { addDataRoutes, type DataRouteDeps } from './data-routes.ts';
import { addDeclarationRoutes } from './declaration-routes.ts';
import { addDetectionRoutes, type DetectionRouteDeps } from './detection-routes.ts';
import { addDetectorRoutes, type DetectorRouteDeps } from './detector-routes.ts';
import { addDlpRoutes, type DlpRouteDeps } from './dlp-routes.ts';
import { addDlpTokenRoutes } from './dlp-token-routes.ts';
import { addDrillRoutes, type DrillRouteDeps } from './drill-routes.ts';
import { addDiscoveryRoutes, type DiscoveryRouteDeps } from './discovery-routes.ts';
import { addEventRoutes } from './event-routes.ts';
import { addGraphRoutes, type GraphRouteDeps } from './graph-routes.ts';
import { addIntegrationRoutes, type ClientDirectory } from './integration-routes.ts';
import { addGraphqlRoutes } from './graphql-routes.ts';
import { addMapRoutes } from './map-routes.ts';
import { addMonitorRoutes, type MonitorRouteDeps } from './monitor-routes.ts';
import { addEnrichmentRoutes, type EnrichmentRouteDeps } from './enrichment-routes.ts';
import { addEventRetentionRoutes, type EventRetentionRouteDeps } from './event-retention-routes.ts';
import { addForwardRoutes, type ForwardRouteDeps } from './forward-routes.ts';
import { addNotificationRoutes, type NotificationRouteDeps } from './notification-routes.ts';
import { addCertificateRoutes } from './certificate-routes.ts';
import { addMcpRoutes } from './mcp-routes.ts';
import { addPlaybookRoutes, type PlaybookRouteDeps } from './playbook-routes.ts';
import { addLearningRoutes } from './learning-routes.ts';
import { addLeaverRoutes, type LeaverRouteDeps } from './leaver-routes.ts';
import { addServiceAccountRoutes, type ServiceAccountRouteDeps } from './service-account-routes.ts';
import { addProvisioningRoutes, type ProvisioningRouteDeps } from './provisioning-routes.ts';
import { addBackupRoutes, type BackupRouteDeps } from './backup-routes.ts';
import { addOwnBackupRoutes } from './own-backup-routes.ts';
import { addLakeProofRoutes, type LakeProofRouteDeps } from './lake-proof-routes.ts';
import { addProofRoutes, type ProofRouteDeps } from './proof-routes.ts';
import { addProxyRoutes } from './proxy-routes.ts';
import { addRetentionRoutes } from './retention-routes.ts';
import { addControlMetrics } from './control-metrics.ts';
import { addRuleTuningRoutes, type RuleTuningRouteDeps } from './rule-tuning-routes.ts';
import { addReviewRoutes, type ReviewRouteDeps } from './review-routes.ts';
import { addRuleRoutes } from './rule-routes.ts';
import { addSourceRoutes, type SourceRouteDeps } from './source-routes.ts';
import { addVaultRoutes } from './vault-routes.ts';
import { addSubjectRoutes } from './subject-routes.ts';
import { addSystemRoutes } from './system-routes.ts';
import { addTransferRoutes } from './transfer-routes.ts';
import { addAttestationRoutes, type AssuranceRouteDeps } from './attestation-routes.ts';
import { addFindingPortalRoutes } from './finding-portal-routes.ts';
import { addPentestRoutes } from './pentest-routes.ts';
import { addContractRoutes } from './contract-routes.ts';
import { addPortalRoutes } from './portal-routes.ts';
import { addQuestionnaireRoutes } from './questionnaire-routes.ts';
import { addVendorRoutes, type VendorRouteDeps } from './vendor-routes.ts';
import { addVendorInsightRoutes, type VendorInsightRouteDeps } from './vendor-insight-routes.ts';
import { addWebhookRoutes, type WebhookRouteDeps } from './webhook-routes.ts';

export interface RouteDeps
  extends
    VendorRouteDeps,
    AssuranceRouteDeps,
    VendorInsightRouteDeps,
    BackupRouteDeps,
    DrillRouteDeps,
    CaseRouteDeps,
    CommunicationRouteDeps,
    PlaybookRouteDeps,
    WebhookRouteDeps,
    ConnectorRouteDeps,
    AlertRouteDeps,
    BehaviourRouteDeps,
    MonitorRouteDeps,
    RuleTuningRouteDeps,
    NotificationRouteDeps,
    ForwardRouteDeps,
    EnrichmentRouteDeps,
    EventRetentionRouteDeps,
    DetectionRouteDeps,
    SourceRouteDeps,
    ProofRouteDeps,
    LakeProofRouteDeps,
    DataRouteDeps,
    DlpRouteDeps,
    DetectorRouteDeps,
    LeaverRouteDeps,
    ProvisioningRouteDeps,
    ServiceAccountRouteDeps,
    DiscoveryRouteDeps,
    ReviewRouteDeps,
    AccessUseRouteDeps,
    GraphRouteDeps {
  readonly db: Database;
  readonly clock: Clock;
  readonly estate: Estate;
  readonly lake: Lake;
  readonly snapshots: SnapshotService;
  readonly clients: ClientDirectory;
  readonly tokenEndpoint: string;
  readonly gatewayUrl: string;
  readonly publicUrl: string;
  readonly operationsOf: AppRouteDeps['operationsOf'];
}

/** Every route of this package; identity brings its own. */
export function addRoutes(server: ApiServer, deps: RouteDeps): void {
  addControlMetrics(server);
  addAppRoutes(server, deps);
  addVaultRoutes(server, deps);
  addIntegrationRoutes(server, deps);
  addMcpRoutes(server, deps);
  addCertificateRoutes(server, deps);
  addGraphqlRoutes(server, deps);
  addLearningRoutes(server, deps);
  addRuleRoutes(server, deps);
  addDetectorRoutes(server, deps);
  addProxyRoutes(server, deps);
  addDeclarationRoutes(server, deps.estate);
  addEventRoutes(server, deps);
  addMapRoutes(server, deps);
  addDataRoutes(server, deps);
  addDataRecordRoutes(server, deps);
  addDataMapRoutes(server, deps);
  addTransferRoutes(server, deps);
  addSubjectRoutes(server, deps);
  addRetentionRoutes(server, deps);
  addDlpRoutes(server, deps);
  addDlpTokenRoutes(server, deps);
  addGraphRoutes(server, deps);
  addAccessUseRoutes(server, deps);
  addSourceRoutes(server, deps);
  addAlertRoutes(server, deps);
  addDetectionRoutes(server, deps);
  addBehaviourRoutes(server, deps);
  addMonitorRoutes(server, deps);
  addRuleTuningRoutes(server, deps);
  addNotificationRoutes(server, deps);
  addForwardRoutes(server, deps);
  addEnrichmentRoutes(server, deps);
  addEventRetentionRoutes(server, deps);
  addLakeProofRoutes(server, deps);
  addSystemRoutes(server, deps);
  addWebhookRoutes(server, deps);
  addConnectorRoutes(server, deps);
  addProofRoutes(server, deps);
  addLeaverRoutes(server, deps);
  addProvisioningRoutes(server, deps);
  addServiceAccountRoutes(server, deps);
  addDiscoveryRoutes(server, deps);
  addReviewRoutes(server, deps);
  addBackupRoutes(server, deps);
  addDrillRoutes(server, deps);
  addOwnBackupRoutes(server, deps);
  addCaseRoutes(server, deps);
  addCommunicationRoutes(server, deps);
  addPlaybookRoutes(server, deps);
  addVendorRoutes(server, deps);
  addVendorInsightRoutes(server, deps);
  addQuestionnaireRoutes(server, deps);
  addContractRoutes(server, deps);
  addPortalRoutes(server, deps);
  addAttestationRoutes(server, deps);
  addPentestRoutes(server, deps);
  addFindingPortalRoutes(server, deps);
}
