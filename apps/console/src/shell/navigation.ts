import type { SideNavigationProps } from '@cloudscape-design/components/side-navigation';

interface NavigationLink {
  readonly text: string;
  readonly href: string;
  /** Without it the page would only show a refusal, so its link is left out. */
  readonly permission: string;
}

const OVERVIEW: readonly NavigationLink[] = [
  { text: 'Map', href: '/', permission: 'map.read' },
  { text: 'Blast radius', href: '/graph', permission: 'graph.read' },
  { text: 'Alerts', href: '/alerts', permission: 'alert.read' },
  { text: 'Behaviour', href: '/behaviour', permission: 'alert.read' },
  { text: 'API monitoring', href: '/monitoring', permission: 'event.read' },
  { text: 'Detections', href: '/detections', permission: 'detection.read' },
  { text: 'Events', href: '/events', permission: 'event.read' },
  { text: 'Cases', href: '/cases', permission: 'case.read' },
  { text: 'Playbooks', href: '/playbooks', permission: 'playbook.read' },
  { text: 'Duties', href: '/duties', permission: 'case.read' },
  { text: 'Drills', href: '/drills', permission: 'drill.read' },
  { text: 'Contacts', href: '/contacts', permission: 'case.read' },
  { text: 'Channels', href: '/channels', permission: 'case.read' },
];

const PERIMETER: readonly NavigationLink[] = [
  { text: 'Integrations', href: '/integrations', permission: 'integration.read' },
  { text: 'Apps', href: '/apps', permission: 'app.read' },
  { text: 'Data', href: '/data', permission: 'data.read' },
  { text: 'Data loss', href: '/dlp', permission: 'dlp.read' },
  { text: 'Vendors', href: '/vendors', permission: 'vendor.read' },
  { text: 'Approvals', href: '/approvals', permission: 'approval.read' },
  { text: 'Webhooks', href: '/webhooks', permission: 'webhook.read' },
  { text: 'Connections', href: '/connections', permission: 'connector.read' },
  { text: 'Posture', href: '/posture', permission: 'connector.read' },
  { text: 'Backups', href: '/backups', permission: 'backup.read' },
  { text: 'Sources', href: '/sources', permission: 'source.read' },
  { text: 'Enrichment', href: '/enrichment', permission: 'detection.read' },
  { text: 'Forwarding', href: '/forwarding', permission: 'detection.read' },
  { text: 'Notifications', href: '/notifications', permission: 'detection.write' },
  { text: 'Event retention', href: '/event-retention', permission: 'detection.read' },
  { text: 'Discovery', href: '/discovery', permission: 'discovery.read' },
  { text: 'Reviews', href: '/reviews', permission: 'review.decide' },
];

const POLICY: readonly NavigationLink[] = [
  { text: 'Cedar policies', href: '/policies', permission: 'policy.read' },
  { text: 'Inspection rules', href: '/inspection-rules', permission: 'policy.read' },
  { text: 'Own detectors', href: '/detectors', permission: 'data.read' },
  { text: 'Limits', href: '/limits', permission: 'policy.read' },
  { text: 'Forward proxy', href: '/proxy', permission: 'policy.read' },
  { text: 'Requirements', href: '/requirements', permission: 'policy.read' },
];

const ADMINISTRATION: readonly NavigationLink[] = [
  { text: 'People', href: '/people', permission: 'person.read' },
  { text: 'Groups', href: '/groups', permission: 'person.read' },
  { text: 'Provisioning', href: '/provisioning', permission: 'person.read' },
  { text: 'Joiners and leavers', href: '/leavers', permission: 'person.read' },
  { text: 'Elevations', href: '/elevations', permission: 'session.self' },
  { text: 'Break-glass', href: '/break-glass', permission: 'person.read' },
  { text: 'Service accounts', href: '/service-accounts', permission: 'graph.read' },
  { text: 'Sign-on providers', href: '/sign-on-providers', permission: 'sso.read' },
  { text: 'Sign-in policy', href: '/sign-in-policy', permission: 'sso.read' },
  { text: 'Shared signals', href: '/shared-signals', permission: 'sso.read' },
  { text: 'Sign-on apps', href: '/sso-apps', permission: 'sso.read' },
  { text: 'API tokens', href: '/api-tokens', permission: 'api-token.self' },
  { text: 'My apps', href: '/my-apps', permission: 'session.self' },
  { text: 'Sessions', href: '/sessions', permission: 'session.self' },
  { text: 'Gateways', href: '/gateways', permission: 'system.read' },
  { text: 'Locks', href: '/locks', permission: 'lock.read' },
  { text: 'Audit trail', href: '/audit', permission: 'audit.read' },
];

const SECTIONS = [
  { title: 'Overview', links: OVERVIEW },
  { title: 'Perimeter', links: PERIMETER },
  { title: 'Policy', links: POLICY },
  { title: 'Administration', links: ADMINISTRATION },
] as const;

/** The side navigation for somebody with these permissions: only what they can open. */
export function navigationItems(can: (permission: string) => boolean): SideNavigationProps.Item[] {
  return SECTIONS.flatMap(({ title, links }) => {
    const items = links
      .filter(({ permission }) => can(permission))
      .map(({ text, href }) => ({ type: 'link' as const, text, href }));
    return items.length === 0 ? [] : [{ type: 'section-group' as const, title, items }];
  });
}

/** Pages without a link of their own, and the link that stands for them. */
const BELONGS: Readonly<Record<string, string>> = {
  '/playbook-runs': '/playbooks',
  '/questionnaires': '/vendors',
  '/contracts': '/vendors',
  '/attestations': '/vendors',
  '/findings': '/vendors',
  '/connect': '/apps',
  '/retention': '/data',
  '/subject-requests': '/data',
};

/** The link that stands for a path: the longest that begins it; none for a page that belongs to none. */
export function activeHref(given: string): string {
  const [, first = ''] = given.split('/');
  const path = BELONGS[`/${first}`] ?? given;
  const all = SECTIONS.flatMap(({ links }) => links.map(({ href }) => href));
  const found = all.filter((href) => href !== '/' && (path === href || path.startsWith(`${href}/`)));
  return found.sort((a, b) => b.length - a.length)[0] ?? (path === '/' ? '/' : '');
}
