import type { FunctionContext } from '../named-function.ts';
import { valueAt } from '../setting-path.ts';
import { asList, asRecord, instantOf } from './collections.ts';

/** A setting's value after a change, as the admin audit log tells it. */
interface SettingChange {
  unit: string;
  group: string;
  setting: string;
  value: unknown;
  at: number;
}

/** The value of a setting that was deleted: the unit inherits again, and the top-level unit has the product's default. */
const DELETED = 'DELETE_APPLICATION_SETTING';

function parametersOf(event: unknown): Map<string, unknown> {
  const parameters = new Map<string, unknown>();
  for (const parameter of asList(valueAt(event, 'parameters'))) {
    const { name, value } = asRecord(parameter);
    if (typeof name === 'string' && !parameters.has(name)) parameters.set(name, value);
  }
  return parameters;
}

const text = (value: unknown) => (typeof value === 'string' ? value : '');

/** A change of a setting, or of a switch that the log names by the event itself, such as `TOGGLE_CAA_ENABLEMENT`. */
function changesOf(item: unknown): SettingChange[] {
  const at = instantOf(valueAt(item, 'id.time'));
  if (at === undefined) return [];
  const changes: SettingChange[] = [];
  for (const event of asList(valueAt(item, 'events'))) {
    const name = text(valueAt(event, 'name'));
    const parameters = parametersOf(event);
    const place = { unit: text(parameters.get('ORG_UNIT_NAME')), group: text(parameters.get('GROUP_EMAIL')), at };
    const setting = parameters.get('SETTING_NAME');
    if (typeof setting === 'string' && name === DELETED) changes.push({ ...place, setting, value: DELETED });
    else if (typeof setting === 'string' && parameters.has('NEW_VALUE')) {
      changes.push({ ...place, setting, value: parameters.get('NEW_VALUE') });
    }
    if (name !== '' && parameters.has('NEW_VALUE')) {
      changes.push({ ...place, setting: name, value: parameters.get('NEW_VALUE') });
    }
  }
  return changes;
}

function unitsInLogs(settings: unknown): Set<string> {
  const units = new Set<string>();
  for (const [key, log] of Object.entries(asRecord(settings))) {
    if (!key.endsWith('_logs')) continue;
    for (const item of asList(valueAt(log, 'items'))) {
      for (const event of asList(valueAt(item, 'events'))) {
        const unit = parametersOf(event).get('ORG_UNIT_NAME');
        if (typeof unit === 'string') units.add(unit);
      }
    }
  }
  return units;
}

/**
 * The name of the top-level org unit. The Directory API shows none while no other unit exists; then the one unit that
 * the events name, or the one that has settings, is it.
 */
export function topUnitName(settings: unknown): string {
  const stated = valueAt(settings, 'tenant_info.topLevelOU');
  if (typeof stated === 'string' && stated !== '') return stated;
  const [unit, another] = unitsInLogs(settings);
  if (unit !== undefined) return another === undefined ? unit : '';
  const [only, second] = Object.keys(asRecord(valueAt(settings, 'policies')));
  return only !== undefined && second === undefined ? only : '';
}

/** Units that were deleted since stay in the log; with the list of units at hand they are left out. */
function stillExists(settings: unknown, change: SettingChange): boolean {
  const names = asList(valueAt(settings, 'organizational_unit_names'));
  return names.length < 2 || change.group !== '' || change.unit === '' || names.includes(change.unit);
}

/** The last change of each named setting in each unit and group; `renamed` treats the names as one setting's. */
export function latestEvents(
  context: FunctionContext,
  settings: unknown,
  { log, names, renamed }: { log: string; names: unknown; renamed: boolean },
): SettingChange[] {
  const wanted = asList(names);
  const latest = new Map<string, SettingChange>();
  for (const item of asList(valueAt(settings, `${log}.items`))) {
    for (const change of changesOf(item)) {
      if (!wanted.includes(change.setting) || !stillExists(settings, change)) continue;
      const place = change.group === '' ? ['unit', change.unit] : ['group', change.group];
      const key = JSON.stringify([renamed ? '' : change.setting, ...place]);
      const previous = latest.get(key);
      if (previous === undefined || change.at >= previous.at) latest.set(key, change);
    }
  }
  const found = [...latest.values()];
  const top = topUnitName(settings);
  // Switches of the whole tenant name no unit.
  const isTop = ({ unit, group }: SettingChange) => group === '' && (unit === top || unit === '');
  for (const name of renamed ? wanted.slice(0, 1) : wanted) {
    const isKnown = found.some((change) => isTop(change) && (renamed || change.setting === name));
    if (!isKnown) context.unseen(`${log}: no change of "${String(name)}" in the top-level org unit`);
  }
  return found;
}
