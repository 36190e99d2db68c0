import type { FunctionContext, NamedFunction } from '../named-function.ts';
import { valueAt } from '../setting-path.ts';
import { asList, asRecord } from './collections.ts';
import { latestEvents, topUnitName } from './google-workspace-events.ts';
import { privilegedUsersOnSso } from './google-workspace-sso.ts';

/** An org unit, or a group within one, with its own settings and those it inherits. */
interface Unit {
  name: string;
  path: string;
  group: string;
  own: Record<string, unknown>;
}

/**
 * A unit as the connector names it: `grandchild (in parent/child)`, `Sales (group a@example.org)`, or a path. The path
 * has a slash in front; the group is empty when the settings are the unit's own.
 */
function unitOf(name: string, own: unknown): Unit {
  const within = /^(.*?)\s*\(in (.*)\)$/u.exec(name);
  const group = /^(.*?)\s*\(group (.*)\)$/u.exec(name);
  const slash = (path: string) => (path.startsWith('/') ? path : `/${path}`);
  const path = within === null ? slash(group?.[1] ?? name) : slash(`${within[2]}/${within[1]}`);
  return { name, path, group: group?.[2] ?? '', own: asRecord(own) };
}

function unitsOf(settings: unknown): Unit[] {
  return Object.entries(asRecord(valueAt(settings, 'policies'))).map(([name, own]) => unitOf(name, own));
}

/** The settings a unit sees, nearest first: its own, its ancestors', the top-level unit's. */
function lineage(unit: Unit, units: Unit[], top: string): Record<string, unknown>[] {
  const ancestors = units
    .filter((other) => other !== unit && other.group === '' && other.name !== top)
    .filter((other) => unit.path === other.path || unit.path.startsWith(`${other.path}/`))
    .toSorted((left, right) => right.path.length - left.path.length);
  const root = units.filter((other) => other !== unit && other.name === top);
  return [unit.own, ...ancestors.map((other) => other.own), ...root.map((other) => other.own)];
}

function inherited(chain: Record<string, unknown>[], path: string): unknown {
  for (const own of chain) {
    const value = valueAt(own, path);
    if (value !== undefined) return value;
  }
  return undefined;
}

/** A service whose state was not read counts as on, so that its settings are judged rather than skipped. */
function isServiceOn(chain: Record<string, unknown>[], service: string): boolean {
  if (service === '') return true;
  const state = inherited(chain, `${service}_service_status.serviceState`);
  return typeof state !== 'string' || state.toUpperCase() !== 'DISABLED';
}

interface UnitSettings {
  unit: string;
  own: Record<string, unknown>;
  set: Record<string, unknown>;
}

/** Each unit in which a service is on, with the settings in force there: its own over those it inherits. */
function effectiveUnits(settings: unknown, service: string): UnitSettings[] {
  const units = unitsOf(settings);
  const top = topUnitName(settings);
  return units
    .map((unit) => ({ unit, chain: lineage(unit, units, top) }))
    .filter(({ chain }) => isServiceOn(chain, service))
    .map(({ unit, chain }) => ({ unit: unit.name, own: unit.own, set: mergeSections(chain) }));
}

/** Settings are inherited one by one, not section by section. */
function mergeSections(chain: Record<string, unknown>[]): Record<string, unknown> {
  const merged: Record<string, unknown> = {};
  for (const own of chain.toReversed()) {
    for (const [section, values] of Object.entries(own)) {
      const isObject = values !== null && typeof values === 'object' && !Array.isArray(values);
      merged[section] = isObject ? { ...asRecord(merged[section]), ...values } : values;
    }
  }
  return merged;
}

/** The value in force in each unit where the service is on; a unit without one is noted as unseen. */
function effectiveValues(context: FunctionContext, settings: unknown, service: string, path: string) {
  const policies = asRecord(valueAt(settings, 'policies'));
  if (Object.keys(policies).length === 0) context.unseen(`policies.*.${path}`);
  const found: { unit: string; value: unknown }[] = [];
  for (const { unit, set } of effectiveUnits(settings, service)) {
    const value = valueAt(set, path);
    if (value === undefined) context.unseen(`policies.${unit}.${path}`);
    else found.push({ unit, value });
  }
  return found;
}

/** Whether the tenant's configuration excepts a unit or group; the whole top-level unit cannot be excepted. */
function isExcepted(settings: unknown, kind: string, name: string): boolean {
  const unit = unitOf(name, {});
  if (unit.group === '' && name === topUnitName(settings)) return false;
  return asList(valueAt(settings, kind)).some((entry) => {
    const { ou, group } = asRecord(entry);
    const path = typeof ou === 'string' ? (ou.startsWith('/') ? ou : `/${ou}`) : '/';
    return (path === unit.path || path === '/') && (typeof group === 'string' ? group : '') === unit.group;
  });
}

/** Google Workspace: Policy API settings by org unit (`policies`) and the admin audit log (`<service>_logs`). */
export const googleWorkspaceFunctions: readonly NamedFunction[] = [
  {
    signature: 'gwsUnits(dyn, string): list',
    description:
      'Org units and groups in which a service is on (`""` for all), as `{unit, own, set}`: `own` holds what is set there, `set` what is in force with inheritance.',
    run: (_: FunctionContext, settings: unknown, service: string) => effectiveUnits(settings, service),
  },
  {
    signature: 'gwsValues(dyn, string, string): list',
    description:
      'The value in force of a setting in each org unit where the service is on, as `{unit, value}`; a unit where it cannot be seen makes a pass not visible.',
    run: (context: FunctionContext, settings: unknown, service: string, path: string) =>
      effectiveValues(context, settings, service, path),
  },
  {
    signature: 'gwsOwnValues(dyn, string): list',
    description: 'The value of a setting in each org unit that sets it itself, as `{unit, value}`.',
    run: (_: FunctionContext, settings: unknown, path: string) =>
      unitsOf(settings)
        .map((unit) => ({ unit: unit.name, value: valueAt(unit.own, path) }))
        .filter(({ value }) => value !== undefined),
  },
  {
    signature: 'gwsTop(dyn): string',
    description: 'The name of the top-level org unit; empty when it cannot be told.',
    run: (_: FunctionContext, settings: unknown) => topUnitName(settings),
  },
  {
    signature: 'gwsEvents(dyn, string, dyn): list',
    description:
      'The last change of a setting (or of any in a list) in each org unit and group, from an admin audit log, as `{unit, group, setting, value, at}`; a deleted setting has the value `DELETE_APPLICATION_SETTING`. When the top-level unit has no change of a named setting, a pass becomes not visible.',
    run: (context: FunctionContext, settings: unknown, log: string, names: unknown) =>
      latestEvents(context, settings, { log, names, renamed: false }),
  },
  {
    signature: 'gwsRenamedEvents(dyn, string, list): list',
    description: 'As `gwsEvents`, for one setting that the log has called by several names over time.',
    run: (context: FunctionContext, settings: unknown, log: string, names: unknown) =>
      latestEvents(context, settings, { log, names, renamed: true }),
  },
  {
    signature: 'gwsServiceOn(dyn, string, string): bool',
    description: 'Whether a service is on in an org unit, with inheritance.',
    run: (_: FunctionContext, settings: unknown, service: string, name: string) => {
      const units = unitsOf(settings);
      const top = topUnitName(settings);
      const unit = units.find((other) => other.name === name) ?? unitOf(name, {});
      return isServiceOn(lineage(unit, units, top), service);
    },
  },
  {
    signature: 'gwsExcepted(dyn, string, string): bool',
    description: 'Whether the configuration (`imap_exclusions`, `sites_exclusions`) excepts an org unit or group.',
    run: (_: FunctionContext, settings: unknown, kind: string, unit: string) => isExcepted(settings, kind, unit),
  },
  {
    signature: 'gwsPrivilegedUsersOnSso(dyn): list',
    description: 'Privileged users whose org unit or group sends their sign-in to an external identity provider.',
    run: (_: FunctionContext, settings: unknown) => privilegedUsersOnSso(settings),
  },
];
