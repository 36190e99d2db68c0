import { createRoute, createRouter, lazyRouteComponent } from '@tanstack/react-router';
import { parseEventSearch } from './events/event-search.ts';
import { enrol, inside, root, signIn, signInAgain, welcome } from './frame-routes.ts';
import { pages } from './page-routes.ts';
import { FailurePage, UnknownPage } from './shell/FailurePage.tsx';

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
