import {
  createRootRoute,
  createRoute,
  createRouter,
  lazyRouteComponent,
  Outlet,
  redirect,
} from '@tanstack/react-router';
import { queryClient } from './api/query-client.ts';
import { parseEventSearch } from './events/event-search.ts';
import { EnrolPage } from './session/EnrolPage.tsx';
import { sessionQuery } from './session/session-query.ts';
import { SignInAgainPage } from './session/SignInAgainPage.tsx';
import { SignInPage } from './session/SignInPage.tsx';
import { WelcomePage } from './session/WelcomePage.tsx';
import { FailurePage, UnknownPage } from './shell/FailurePage.tsx';
import { Shell } from './shell/Shell.tsx';

const root = createRootRoute({
  component: Outlet,
  errorComponent: FailurePage,
  notFoundComponent: UnknownPage,
});

const welcome = createRoute({ getParentRoute: () => root, path: '/welcome', component: WelcomePage });

const signIn = createRoute({
  getParentRoute: () => root,
  path: '/sign-in',
  validateSearch: (raw: Record<string, unknown>): { next?: string; link?: string } => ({
    ...(typeof raw['next'] === 'string' ? { next: raw['next'] } : {}),
    ...(typeof raw['link'] === 'string' ? { link: raw['link'] } : {}),
  }),
  component: () => <SignInPage next={signIn.useSearch().next} link={signIn.useSearch().link} />,
});

/** An app wants a factor shown again; needs the session, but none of the shell. */
const signInAgain = createRoute({
  getParentRoute: () => root,
  path: '/sign-in-again',
  validateSearch: (raw: Record<string, unknown>): { next?: string; factor?: string } => ({
    ...(typeof raw['next'] === 'string' ? { next: raw['next'] } : {}),
    ...(typeof raw['factor'] === 'string' ? { factor: raw['factor'] } : {}),
  }),
  component: () => <SignInAgainPage {...signInAgain.useSearch()} />,
});

const enrol = createRoute({
  getParentRoute: () => root,
  path: '/enrol',
  beforeLoad: async () => {
    const { actor } = await queryClient.ensureQueryData(sessionQuery);
    if (!actor) throw redirect({ href: '/sign-in' });
  },
  component: EnrolPage,
});

/** Everything inside the shell needs somebody who is signed in and has a factor. */
const inside = createRoute({
  getParentRoute: () => root,
  id: 'inside',
  component: Shell,
  beforeLoad: async ({ location }) => {
    const { actor, session } = await queryClient.ensureQueryData(sessionQuery);
    if (!actor) throw redirect({ to: '/sign-in', search: location.href === '/' ? {} : { next: location.href } });
    if (session?.stage === 'enrol') throw redirect({ href: '/enrol' });
  },
});

const events = createRoute({
  getParentRoute: () => inside,
  path: '/events',
  validateSearch: parseEventSearch,
  component: lazyRouteComponent(() => import('./events/EventsPage.tsx'), 'EventsPage'),
});

const graph = createRoute({
  getParentRoute: () => inside,
  path: '/graph',
  validateSearch: (raw: Record<string, unknown>): { node?: string } =>
    typeof raw['node'] === 'string' ? { node: raw['node'] } : {},
  component: lazyRouteComponent(() => import('./graph/GraphPage.tsx'), 'GraphPage'),
});

const integration = createRoute({
  getParentRoute: () => inside,
  path: '/integrations/$id',
  component: lazyRouteComponent(() => import('./integrations/IntegrationPage.tsx'), 'IntegrationPage'),
});

const app = createRoute({
  getParentRoute: () => inside,
  path: '/apps/$id',
  component: lazyRouteComponent(() => import('./apps/AppPage.tsx'), 'AppPage'),
});

const connect = createRoute({
  getParentRoute: () => inside,
  path: '/connect/$id',
  component: lazyRouteComponent(() => import('./vault/ConnectPage.tsx'), 'ConnectPage'),
});

const signOnProvider = createRoute({
  getParentRoute: () => inside,
  path: '/sign-on-providers/$id',
  component: lazyRouteComponent(() => import('./sso/ProviderPage.tsx'), 'ProviderPage'),
});

const vendor = createRoute({
  getParentRoute: () => inside,
  path: '/vendors/$id',
  component: lazyRouteComponent(() => import('./vendors/VendorPage.tsx'), 'VendorPage'),
});

const questionnaire = createRoute({
  getParentRoute: () => inside,
  path: '/questionnaires/$id',
  component: lazyRouteComponent(() => import('./vendors/QuestionnairePage.tsx'), 'QuestionnairePage'),
});

const contract = createRoute({
  getParentRoute: () => inside,
  path: '/contracts/$id',
  component: lazyRouteComponent(() => import('./vendors/ContractPage.tsx'), 'ContractPage'),
});

const attestation = createRoute({
  getParentRoute: () => inside,
  path: '/attestations/$id',
  component: lazyRouteComponent(() => import('./assurance/AttestationPage.tsx'), 'AttestationPage'),
});

const finding = createRoute({
  getParentRoute: () => inside,
  path: '/findings/$id',
  component: lazyRouteComponent(() => import('./assurance/FindingPage.tsx'), 'FindingPage'),
});

/** For people without an account: outside of the shell, and asks nobody who is signed in. */
const portal = createRoute({
  getParentRoute: () => root,
  path: '/portal',
  component: lazyRouteComponent(() => import('./portal/PortalPage.tsx'), 'PortalPage'),
});

/** Whoever was reached in an incident says so here; they have no account. */
const confirm = createRoute({
  getParentRoute: () => root,
  path: '/confirm',
  component: lazyRouteComponent(() => import('./incidents/ConfirmPage.tsx'), 'ConfirmPage'),
});

const alert = createRoute({
  getParentRoute: () => inside,
  path: '/alerts/$id',
  component: lazyRouteComponent(() => import('./alerts/AlertPage.tsx'), 'AlertPage'),
});

const behaviourEntity = createRoute({
  getParentRoute: () => inside,
  path: '/behaviour/$key',
  component: lazyRouteComponent(() => import('./alerts/BehaviourEntityPage.tsx'), 'BehaviourEntityPage'),
});

const webhook = createRoute({
  getParentRoute: () => inside,
  path: '/webhooks/$id',
  component: lazyRouteComponent(() => import('./webhooks/WebhookPage.tsx'), 'WebhookPage'),
});

const connection = createRoute({
  getParentRoute: () => inside,
  path: '/connections/$id',
  component: lazyRouteComponent(() => import('./connectors/ConnectionPage.tsx'), 'ConnectionPage'),
});

const incidentPages = [
  createRoute({
    getParentRoute: () => inside,
    path: '/cases/$id',
    component: lazyRouteComponent(() => import('./incidents/CasePage.tsx'), 'CasePage'),
  }),
  createRoute({
    getParentRoute: () => inside,
    path: '/playbooks/$id',
    component: lazyRouteComponent(() => import('./incidents/PlaybookPage.tsx'), 'PlaybookPage'),
  }),
  createRoute({
    getParentRoute: () => inside,
    path: '/playbook-runs/$id',
    component: lazyRouteComponent(() => import('./incidents/RunPage.tsx'), 'RunPage'),
  }),
  createRoute({
    getParentRoute: () => inside,
    path: '/cases',
    component: lazyRouteComponent(() => import('./incidents/CasesPage.tsx'), 'CasesPage'),
  }),
  createRoute({
    getParentRoute: () => inside,
    path: '/duties',
    component: lazyRouteComponent(() => import('./incidents/DutiesPage.tsx'), 'DutiesPage'),
  }),
  createRoute({
    getParentRoute: () => inside,
    path: '/contacts',
    component: lazyRouteComponent(() => import('./incidents/ContactsPage.tsx'), 'ContactsPage'),
  }),
  createRoute({
    getParentRoute: () => inside,
    path: '/channels',
    component: lazyRouteComponent(() => import('./incidents/ChannelsPage.tsx'), 'ChannelsPage'),
  }),
  createRoute({
    getParentRoute: () => inside,
    path: '/playbooks',
    component: lazyRouteComponent(() => import('./incidents/PlaybooksPage.tsx'), 'PlaybooksPage'),
  }),
];

const drillPages = [
  createRoute({
    getParentRoute: () => inside,
    path: '/drills/$id',
    component: lazyRouteComponent(() => import('./drills/DrillPage.tsx'), 'DrillPage'),
  }),
  createRoute({
    getParentRoute: () => inside,
    path: '/drills/$id/report',
    component: lazyRouteComponent(() => import('./drills/DrillReport.tsx'), 'DrillReport'),
  }),
  createRoute({
    getParentRoute: () => inside,
    path: '/drills',
    component: lazyRouteComponent(() => import('./drills/DrillsPage.tsx'), 'DrillsPage'),
  }),
];

const dataPages = [
  createRoute({
    getParentRoute: () => inside,
    path: '/data',
    component: lazyRouteComponent(() => import('./data/DataPage.tsx'), 'DataPage'),
  }),
  createRoute({
    getParentRoute: () => inside,
    path: '/data/$app/$object',
    component: lazyRouteComponent(() => import('./data/DataSetPage.tsx'), 'DataSetPage'),
  }),
  createRoute({
    getParentRoute: () => inside,
    path: '/subject-requests/$id',
    component: lazyRouteComponent(() => import('./data/SubjectRequestPage.tsx'), 'SubjectRequestPage'),
  }),
  createRoute({
    getParentRoute: () => inside,
    path: '/retention/$id',
    component: lazyRouteComponent(() => import('./data/RetentionRulePage.tsx'), 'RetentionRulePage'),
  }),
  createRoute({
    getParentRoute: () => inside,
    path: '/dlp',
    component: lazyRouteComponent(() => import('./dlp/DlpPage.tsx'), 'DlpPage'),
  }),
  createRoute({
    getParentRoute: () => inside,
    path: '/dlp/$id',
    component: lazyRouteComponent(() => import('./dlp/IncidentPage.tsx'), 'IncidentPage'),
  }),
];

const backupPages = [
  createRoute({
    getParentRoute: () => inside,
    path: '/backups/$id',
    component: lazyRouteComponent(() => import('./backups/BackupPage.tsx'), 'BackupPage'),
  }),
  createRoute({
    getParentRoute: () => inside,
    path: '/backups',
    component: lazyRouteComponent(() => import('./backups/BackupsPage.tsx'), 'BackupsPage'),
  }),
];

const reviewPages = [
  createRoute({
    getParentRoute: () => inside,
    path: '/discovery',
    component: lazyRouteComponent(() => import('./discovery/DiscoveryPage.tsx'), 'DiscoveryPage'),
  }),
  createRoute({
    getParentRoute: () => inside,
    path: '/discovery/$key',
    component: lazyRouteComponent(() => import('./discovery/FoundAppPage.tsx'), 'FoundAppPage'),
  }),
  createRoute({
    getParentRoute: () => inside,
    path: '/reviews',
    component: lazyRouteComponent(() => import('./reviews/ReviewsPage.tsx'), 'ReviewsPage'),
  }),
  createRoute({
    getParentRoute: () => inside,
    path: '/reviews/$id',
    component: lazyRouteComponent(() => import('./reviews/ReviewPage.tsx'), 'ReviewPage'),
  }),
];

const accessPages = [
  createRoute({
    getParentRoute: () => inside,
    path: '/groups',
    component: lazyRouteComponent(() => import('./groups/GroupsPage.tsx'), 'GroupsPage'),
  }),
  createRoute({
    getParentRoute: () => inside,
    path: '/groups/$id',
    component: lazyRouteComponent(() => import('./groups/GroupPage.tsx'), 'GroupPage'),
  }),
  createRoute({
    getParentRoute: () => inside,
    path: '/people/$id',
    component: lazyRouteComponent(() => import('./groups/PersonPage.tsx'), 'PersonPage'),
  }),
  createRoute({
    getParentRoute: () => inside,
    path: '/provisioning',
    component: lazyRouteComponent(() => import('./provisioning/ProvisioningPage.tsx'), 'ProvisioningPage'),
  }),
  createRoute({
    getParentRoute: () => inside,
    path: '/provisioning/$id',
    component: lazyRouteComponent(() => import('./provisioning/ProvisionRunPage.tsx'), 'ProvisionRunPage'),
  }),
  createRoute({
    getParentRoute: () => inside,
    path: '/elevations',
    component: lazyRouteComponent(() => import('./elevation/ElevationsPage.tsx'), 'ElevationsPage'),
  }),
  createRoute({
    getParentRoute: () => inside,
    path: '/break-glass',
    component: lazyRouteComponent(() => import('./admin/BreakGlassPage.tsx'), 'BreakGlassPage'),
  }),
  createRoute({
    getParentRoute: () => inside,
    path: '/service-accounts',
    component: lazyRouteComponent(() => import('./integrations/ServiceAccountsPage.tsx'), 'ServiceAccountsPage'),
  }),
];

const pages = [
  createRoute({
    getParentRoute: () => inside,
    path: '/monitoring',
    component: lazyRouteComponent(() => import('./traffic/MonitorPage.tsx'), 'MonitorPage'),
  }),
  createRoute({
    getParentRoute: () => inside,
    path: '/detections',
    component: lazyRouteComponent(() => import('./alerts/RulesPage.tsx'), 'RulesPage'),
  }),
  createRoute({
    getParentRoute: () => inside,
    path: '/detections/$id',
    component: lazyRouteComponent(() => import('./alerts/RulePage.tsx'), 'RulePage'),
  }),
  createRoute({
    getParentRoute: () => inside,
    path: '/my-apps',
    component: lazyRouteComponent(() => import('./sso/MyAppsPage.tsx'), 'MyAppsPage'),
  }),
  createRoute({
    getParentRoute: () => inside,
    path: '/sign-on-providers',
    component: lazyRouteComponent(() => import('./sso/ProvidersPage.tsx'), 'ProvidersPage'),
  }),
  createRoute({
    getParentRoute: () => inside,
    path: '/sign-in-policy',
    component: lazyRouteComponent(() => import('./sign-in/SignInPolicyPage.tsx'), 'SignInPolicyPage'),
  }),
  createRoute({
    getParentRoute: () => inside,
    path: '/shared-signals',
    component: lazyRouteComponent(() => import('./sign-in/SharedSignalsPage.tsx'), 'SharedSignalsPage'),
  }),
  createRoute({
    getParentRoute: () => inside,
    path: '/sso-apps',
    component: lazyRouteComponent(() => import('./sso/SsoAppsPage.tsx'), 'SsoAppsPage'),
  }),
  createRoute({
    getParentRoute: () => inside,
    path: '/vendors',
    component: lazyRouteComponent(() => import('./vendors/VendorsPage.tsx'), 'VendorsPage'),
  }),
  createRoute({
    getParentRoute: () => inside,
    path: '/posture',
    component: lazyRouteComponent(() => import('./posture/PosturePage.tsx'), 'PosturePage'),
  }),
  createRoute({
    getParentRoute: () => inside,
    path: '/connections',
    component: lazyRouteComponent(() => import('./connectors/ConnectionsPage.tsx'), 'ConnectionsPage'),
  }),
  createRoute({
    getParentRoute: () => inside,
    path: '/webhooks',
    component: lazyRouteComponent(() => import('./webhooks/WebhooksPage.tsx'), 'WebhooksPage'),
  }),
  createRoute({
    getParentRoute: () => inside,
    path: '/behaviour',
    component: lazyRouteComponent(() => import('./alerts/BehaviourPage.tsx'), 'BehaviourPage'),
  }),
  createRoute({
    getParentRoute: () => inside,
    path: '/alerts',
    component: lazyRouteComponent(() => import('./alerts/AlertsPage.tsx'), 'AlertsPage'),
  }),
  createRoute({
    getParentRoute: () => inside,
    path: '/sources',
    component: lazyRouteComponent(() => import('./alerts/SourcesPage.tsx'), 'SourcesPage'),
  }),
  createRoute({
    getParentRoute: () => inside,
    path: '/enrichment',
    component: lazyRouteComponent(() => import('./events/EnrichmentPage.tsx'), 'EnrichmentPage'),
  }),
  createRoute({
    getParentRoute: () => inside,
    path: '/forwarding',
    component: lazyRouteComponent(() => import('./alerts/ForwardingPage.tsx'), 'ForwardingPage'),
  }),
  createRoute({
    getParentRoute: () => inside,
    path: '/notifications',
    component: lazyRouteComponent(() => import('./alerts/NotificationsPage.tsx'), 'NotificationsPage'),
  }),
  createRoute({
    getParentRoute: () => inside,
    path: '/event-retention',
    component: lazyRouteComponent(() => import('./events/EventRetentionPage.tsx'), 'EventRetentionPage'),
  }),
  createRoute({
    getParentRoute: () => inside,
    path: '/',
    component: lazyRouteComponent(() => import('./map/MapPage.tsx'), 'MapPage'),
  }),
  createRoute({
    getParentRoute: () => inside,
    path: '/integrations',
    component: lazyRouteComponent(() => import('./integrations/IntegrationsPage.tsx'), 'IntegrationsPage'),
  }),
  createRoute({
    getParentRoute: () => inside,
    path: '/apps',
    component: lazyRouteComponent(() => import('./apps/AppsPage.tsx'), 'AppsPage'),
  }),
  createRoute({
    getParentRoute: () => inside,
    path: '/setup',
    component: lazyRouteComponent(() => import('./setup/SetupPage.tsx'), 'SetupPage'),
  }),
  createRoute({
    getParentRoute: () => inside,
    path: '/policies',
    component: lazyRouteComponent(() => import('./policy/PoliciesPage.tsx'), 'PoliciesPage'),
  }),
  createRoute({
    getParentRoute: () => inside,
    path: '/detectors',
    component: lazyRouteComponent(() => import('./policy/OwnDetectorsPage.tsx'), 'OwnDetectorsPage'),
  }),
  createRoute({
    getParentRoute: () => inside,
    path: '/inspection-rules',
    component: lazyRouteComponent(() => import('./policy/InspectionRulesPage.tsx'), 'InspectionRulesPage'),
  }),
  createRoute({
    getParentRoute: () => inside,
    path: '/limits',
    component: lazyRouteComponent(() => import('./policy/LimitsPage.tsx'), 'LimitsPage'),
  }),
  createRoute({
    getParentRoute: () => inside,
    path: '/proxy',
    component: lazyRouteComponent(() => import('./policy/ProxyPage.tsx'), 'ProxyPage'),
  }),
  createRoute({
    getParentRoute: () => inside,
    path: '/requirements',
    component: lazyRouteComponent(() => import('./policy/RequirementsPage.tsx'), 'RequirementsPage'),
  }),
  createRoute({
    getParentRoute: () => inside,
    path: '/approvals',
    component: lazyRouteComponent(() => import('./approvals/ApprovalsPage.tsx'), 'ApprovalsPage'),
  }),
  createRoute({
    getParentRoute: () => inside,
    path: '/locks',
    component: lazyRouteComponent(() => import('./admin/LocksPage.tsx'), 'LocksPage'),
  }),
  createRoute({
    getParentRoute: () => inside,
    path: '/people',
    component: lazyRouteComponent(() => import('./admin/PeoplePage.tsx'), 'PeoplePage'),
  }),
  createRoute({
    getParentRoute: () => inside,
    path: '/leavers',
    component: lazyRouteComponent(() => import('./admin/LeaversPage.tsx'), 'LeaversPage'),
  }),
  createRoute({
    getParentRoute: () => inside,
    path: '/leavers/$id',
    component: lazyRouteComponent(() => import('./admin/LeaverPage.tsx'), 'LeaverPage'),
  }),
  createRoute({
    getParentRoute: () => inside,
    path: '/api-tokens',
    component: lazyRouteComponent(() => import('./admin/ApiTokensPage.tsx'), 'ApiTokensPage'),
  }),
  createRoute({
    getParentRoute: () => inside,
    path: '/sessions',
    component: lazyRouteComponent(() => import('./admin/SessionsPage.tsx'), 'SessionsPage'),
  }),
  createRoute({
    getParentRoute: () => inside,
    path: '/gateways',
    component: lazyRouteComponent(() => import('./admin/GatewaysPage.tsx'), 'GatewaysPage'),
  }),
  createRoute({
    getParentRoute: () => inside,
    path: '/audit',
    component: lazyRouteComponent(() => import('./admin/AuditPage.tsx'), 'AuditPage'),
  }),
  createRoute({
    getParentRoute: () => inside,
    path: '/account',
    component: lazyRouteComponent(() => import('./session/AccountPage.tsx'), 'AccountPage'),
  }),
];

export const router = createRouter({
  routeTree: root.addChildren([
    welcome,
    portal,
    confirm,
    signIn,
    signInAgain,
    enrol,
    inside.addChildren([
      graph,
      signOnProvider,
      vendor,
      questionnaire,
      contract,
      attestation,
      finding,
      connect,
      connection,
      webhook,
      events,
      alert,
      behaviourEntity,
      integration,
      app,
      ...incidentPages,
      ...backupPages,
      ...reviewPages,
      ...drillPages,
      ...dataPages,
      ...accessPages,
      ...pages,
    ]),
  ]),
  defaultErrorComponent: FailurePage,
  defaultNotFoundComponent: UnknownPage,
  defaultPreload: false,
});

declare module '@tanstack/react-router' {
  interface Register {
    router: typeof router;
  }
}
