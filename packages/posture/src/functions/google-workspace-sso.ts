import { valueAt } from '../setting-path.ts';
import { asList, asRecord, lowerStrings } from './collections.ts';

/** Modes in which Google itself checks the password. */
const GOOGLE_SIGN_IN = new Set(['', 'SSO_OFF', 'SSO_MODE_UNSPECIFIED']);

const text = (value: unknown) => (typeof value === 'string' ? value : '');
const slash = (path: string) => (path.startsWith('/') ? path : `/${path}`);

interface Assignments {
  byPath: Map<string, string[]>;
  byGroup: Map<string, string[]>;
}

function readAssignments(settings: unknown): Assignments {
  const paths = new Map<string, string>();
  for (const unit of asList(valueAt(settings, 'organizational_units.organizationUnits'))) {
    const { orgUnitId, orgUnitPath } = asRecord(unit);
    paths.set(text(orgUnitId).replace(/^id:/u, ''), text(orgUnitPath));
  }
  const assignments: Assignments = { byPath: new Map(), byGroup: new Map() };
  const add = (map: Map<string, string[]>, key: string, mode: string) => map.set(key, [...(map.get(key) ?? []), mode]);
  for (const assignment of asList(valueAt(settings, 'inbound_sso_assignments'))) {
    const { targetOrgUnit, targetGroup, ssoMode } = asRecord(assignment);
    const mode = text(ssoMode).toUpperCase();
    const path = paths.get(text(targetOrgUnit).replace(/^orgUnits\//u, ''));
    if (text(targetOrgUnit) !== '' && path !== undefined) add(assignments.byPath, path, mode);
    const group = text(targetGroup)
      .replace(/^groups\//u, '')
      .toLowerCase();
    if (group !== '') add(assignments.byGroup, group, mode);
  }
  return assignments;
}

/** The unit's own assignment, or that of the nearest unit above it. */
function modesInLineage(assignments: Assignments, path: string): string[] {
  let at = path;
  for (;;) {
    const modes = assignments.byPath.get(at);
    if (modes !== undefined) return modes;
    if (at === '/' || at === '') return assignments.byPath.get('/') ?? [];
    at = at.slice(0, Math.max(at.lastIndexOf('/'), 0)) || '/';
  }
}

/** Group assignments win over those of org units, as in Google's own resolution order. */
export function privilegedUsersOnSso(settings: unknown): string[] {
  const assignments = readAssignments(settings);
  const found: string[] = [];
  for (const user of asList(valueAt(settings, 'privileged_users'))) {
    const { primaryEmail, orgUnitPath, groupKeys } = asRecord(user);
    const groupModes = lowerStrings(groupKeys).flatMap((key) => assignments.byGroup.get(key) ?? []);
    const modes = groupModes.length > 0 ? groupModes : modesInLineage(assignments, slash(text(orgUnitPath)));
    if (modes.some((mode) => !GOOGLE_SIGN_IN.has(mode))) found.push(text(primaryEmail));
  }
  return found;
}
