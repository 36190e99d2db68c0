import { createRoute, lazyRouteComponent } from '@tanstack/react-router';
import { inside } from './frame-routes.ts';

/** Pages inside the shell whose address says all. */
export const pages = [
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
