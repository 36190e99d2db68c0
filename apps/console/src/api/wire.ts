import type { paths } from '@cordon/client';

type Answer<Path extends keyof paths, Method extends 'get' | 'post'> = paths[Path][Method] extends {
  responses: infer Responses;
}
  ? Responses[keyof Responses & (200 | 201)] extends { content: { 'application/json': infer Body } }
    ? Body
    : never
  : never;

export type Session = Answer<'/api/v1/session', 'get'>;
export type App = Answer<'/api/v1/apps/{id}', 'get'>;
export type VendorCredential = Answer<'/api/v1/apps/{id}/credentials', 'get'>['items'][number];
export type Upstreams = Answer<'/api/v1/apps/{id}/upstreams', 'get'>;
export type Operation = Answer<'/api/v1/apps/{id}/operations', 'get'>['items'][number];
export type UpstreamCertificate = Answer<'/api/v1/apps/{id}/certificates', 'get'>['items'][number];
export type ExchangePolicy = Answer<'/api/v1/exchange-policies', 'get'>['items'][number];
export type McpItem = Answer<'/api/v1/apps/{id}/mcp/items', 'get'>['items'][number];
export type LearningProposal = Answer<'/api/v1/apps/{id}/learning/proposal', 'get'>;
export type GraphqlSchema = Answer<'/api/v1/apps/{id}/graphql/schema', 'get'>;
export type Integration = Answer<'/api/v1/integrations/{id}', 'get'>;
export type Credential = Answer<'/api/v1/integrations/{id}/credentials', 'get'>['items'][number];
export type MadeCredential = Answer<'/api/v1/integrations/{id}/credentials', 'post'>;
export type CutOff = Answer<'/api/v1/integrations/{id}/cut-offs', 'get'>['items'][number];
export type Grant = Answer<'/api/v1/grants', 'get'>['items'][number];
export type Selector = Grant['select'][number];
export type EstateMap = Answer<'/api/v1/map', 'get'>;
export type TrafficRow = Answer<'/api/v1/traffic', 'get'>['items'][number];
export type EventPage = Answer<'/api/v1/events', 'get'>;
export type StoredEvent = EventPage['items'][number];
export type Histogram = Answer<'/api/v1/events/histogram', 'get'>;
export type AuditRecord = Answer<'/api/v1/audit', 'get'>['items'][number];
export type Witness = Answer<'/api/v1/proof', 'get'>['witnesses'][number];
export type LeaverRun = Answer<'/api/v1/leavers', 'get'>['items'][number];
export type LeaverTarget = Answer<'/api/v1/leavers/{id}', 'get'>['targets'][number];
export type Gateway = Answer<'/api/v1/gateways', 'get'>['items'][number];
export type PolicyRule = Answer<'/api/v1/policies', 'get'>['items'][number];
export type OwnDetector = Answer<'/api/v1/detectors', 'get'>['items'][number];
export type InspectionRule = Answer<'/api/v1/inspection-rules', 'get'>['items'][number];
export type LimitRule = Answer<'/api/v1/limits', 'get'>['items'][number];
export type RequirementRule = Answer<'/api/v1/requirements', 'get'>['items'][number];
export type RequirementBody = NonNullable<
  paths['/api/v1/requirements']['post']['requestBody']
>['content']['application/json'];
export type Approval = Answer<'/api/v1/approvals/{id}', 'get'>;
export type SsoApp = Answer<'/api/v1/sso/apps', 'get'>['items'][number];
export type SsoCatalogueEntry = Answer<'/api/v1/sso/catalogue', 'get'>['items'][number];
export type SignOnProvider = Answer<'/api/v1/sign-on/providers', 'get'>['items'][number];
export type SignInPolicyVersion = Answer<'/api/v1/sign-in-policy', 'get'>;
export type SignInPolicySet = SignInPolicyVersion['set'];
export type SignInTemplate = Answer<'/api/v1/sign-in-policy/templates', 'get'>['items'][number];
export type SignInRecord = Answer<'/api/v1/sign-ins', 'get'>['items'][number];
export type SignInDryRun = Answer<'/api/v1/sign-in-policy/dry-run', 'post'>;
export type SignalReceiver = Answer<'/api/v1/signals/receivers', 'get'>['items'][number];
export type SentSignal = Answer<'/api/v1/signals/receivers/{id}/events', 'get'>['items'][number];
export type SignalSource = Answer<'/api/v1/signals/sources', 'get'>['items'][number];
export type ReceivedSignal = Answer<'/api/v1/signals/sources/{id}/events', 'get'>['items'][number];
export type SignOnDomain = Answer<'/api/v1/sign-on/providers/{id}/domains', 'get'>['items'][number];
export type SignOnAttempt = Answer<'/api/v1/sign-on/providers/{id}/attempts', 'get'>['items'][number];
export type LaunchableApp = Answer<'/api/v1/my-apps', 'get'>['items'][number];
export type ClientLock = Answer<'/api/v1/locks', 'get'>['items'][number];
export type ClientCertificate = Answer<'/api/v1/certificates', 'get'>['items'][number];
export type Person = Answer<'/api/v1/people', 'get'>['people'][number];
export type PersonSession = Answer<'/api/v1/sessions', 'get'>['sessions'][number];
export type ApiToken = Answer<'/api/v1/api-tokens', 'get'>['tokens'][number];
export type Factors = Answer<'/api/v1/auth/factors', 'get'>;
export type Alert = Answer<'/api/v1/alerts', 'get'>['items'][number];
export type EnrichmentState = NonNullable<Answer<'/api/v1/enrichment', 'get'>['state']>;
export type ForwardTarget = Answer<'/api/v1/forward-targets', 'get'>['items'][number];
export type ForwardBody = NonNullable<
  paths['/api/v1/forward-targets']['post']['requestBody']
>['content']['application/json'];
export type NotificationTarget = Answer<'/api/v1/notification-targets', 'get'>['items'][number];
export type NotificationTargetBody = NonNullable<
  paths['/api/v1/notification-targets']['post']['requestBody']
>['content']['application/json'];
export type NotificationDelivery = Answer<'/api/v1/notification-deliveries', 'get'>['items'][number];
export type EventRetention = Answer<'/api/v1/event-retention', 'get'>;
export type ThreatList = Answer<'/api/v1/threat-lists', 'get'>['items'][number];
export type BehaviourEntity = Answer<'/api/v1/behaviour', 'get'>['items'][number];
export type BehaviourDetail = Answer<'/api/v1/behaviour/entity', 'get'>;
export type Detection = Answer<'/api/v1/detections', 'get'>['items'][number];
export type RuleDetail = Answer<'/api/v1/detections/{id}', 'get'>;
export type Backtest = Answer<'/api/v1/detections/{id}/backtest', 'post'>;
export type MonitorSeries = Answer<'/api/v1/monitor/series', 'get'>;
export type MonitorRow = Answer<'/api/v1/monitor/rows', 'get'>['items'][number];
export type Slo = Answer<'/api/v1/monitor/slos', 'get'>['items'][number];
export type AlertDetail = Answer<'/api/v1/alerts/{id}', 'get'>;
export type Source = Answer<'/api/v1/sources', 'get'>['items'][number];
export type DeadLetter = Answer<'/api/v1/sources/{id}/dead-letters', 'get'>['items'][number];
export type Webhook = Answer<'/api/v1/webhooks/{id}', 'get'>;
export type WebhookDelivery = Answer<'/api/v1/webhooks/{id}/deliveries', 'get'>['items'][number];
export type WebhookDeliveryDetail = Answer<'/api/v1/webhooks/{id}/deliveries/{delivery}', 'get'>;
export type IncidentCase = Answer<'/api/v1/cases', 'get'>['items'][number];
export type CaseDetail = Answer<'/api/v1/cases/{id}', 'get'>;
export type Contact = Answer<'/api/v1/contacts', 'get'>['items'][number];
export type Duty = Answer<'/api/v1/duties', 'get'>['items'][number];
export type CaseDuty = Answer<'/api/v1/cases/{id}/duties', 'get'>['items'][number];
export type Channel = Answer<'/api/v1/channels', 'get'>['items'][number];
export type Playbook = Answer<'/api/v1/playbooks', 'get'>['items'][number];
export type PlaybookDetail = Answer<'/api/v1/playbooks/{id}', 'get'>;
export type PlaybookProblem = PlaybookDetail['problems'][number];
export type PlaybookRun = Answer<'/api/v1/playbook-runs', 'get'>['items'][number];
export type PlaybookRunDetail = Answer<'/api/v1/playbook-runs/{id}', 'get'>;
export type Role = Person['roles'][number];

export const ROLES: readonly Role[] = ['owner', 'security', 'developer', 'app-owner', 'responder', 'auditor'];
export type DrillScenario = Answer<'/api/v1/drill-scenarios', 'get'>['items'][number];
export type Drill = Answer<'/api/v1/drills', 'get'>['items'][number];
export type DrillDetail = Answer<'/api/v1/drills/{id}', 'get'>;
export type DrillScore = NonNullable<Drill['score']>;
export type DrillQuarter = Answer<'/api/v1/drills/trend', 'get'>['quarters'][number];
export type DrillTarget = Answer<'/api/v1/drill-targets', 'get'>['items'][number];
export type DrillSchedule = Answer<'/api/v1/drill-schedules', 'get'>['items'][number];
export type Group = Answer<'/api/v1/groups', 'get'>['groups'][number];
export type GroupMember = Answer<'/api/v1/groups/{id}/members', 'get'>['people'][number];
export type AccessChange = Answer<'/api/v1/groups/{id}/preview', 'post'>['changes'][number];
export type Entitlement = AccessChange['gained'][number];
export type PersonAccess = Answer<'/api/v1/people/{id}/access', 'get'>;
export type ProvisionTarget = Answer<'/api/v1/provisioning/targets', 'get'>['items'][number];
export type ProvisionRun = Answer<'/api/v1/provisioning/runs', 'get'>['items'][number];
export type ProvisionItem = Answer<'/api/v1/provisioning/runs/{id}', 'get'>['items'][number];
export type ProvisionGroupItem = Answer<'/api/v1/provisioning/runs/{id}', 'get'>['groups'][number];
export type Elevation = Answer<'/api/v1/elevations', 'get'>['items'][number];
export type BreakGlassAccount = Answer<'/api/v1/break-glass', 'get'>['accounts'][number];
export type BreakGlassUse = Answer<'/api/v1/break-glass/{id}/uses', 'get'>['items'][number];
export type ServiceAccount = Answer<'/api/v1/service-accounts', 'get'>['items'][number];
