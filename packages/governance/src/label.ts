import { LABELS, type Label } from '@cordon/classifier';

export { LABELS, type Label };

/** Why a label is what it is, in words that a reviewer can check. */
export interface LabelReason {
  readonly because: 'category' | 'detection' | 'combination' | 'volume' | 'flow' | 'field' | 'pinned';
  readonly text: string;
  readonly label: Label;
}

export interface LabelPolicy {
  readonly labels: Readonly<Record<string, Label>>;
  readonly combinations: readonly { readonly name: string; readonly all: readonly string[]; readonly label: Label }[];
  readonly volumes: readonly {
    readonly name: string;
    readonly label: Label;
    readonly records: number;
    readonly raised: Label;
  }[];
}

export interface Judged {
  readonly label: Label;
  /** Strictest first. */
  readonly reasons: readonly LabelReason[];
}

const REASONS_MAX = 10;

export const rankOf = (label: Label): number => LABELS.indexOf(label);

export function stricter(a: Label, b: Label): Label {
  return rankOf(a) >= rankOf(b) ? a : b;
}

export const isLabel = (value: unknown): value is Label => LABELS.some((label) => label === value);

/** Whether a category is another or lies below it: `user.name.first` is in `user.name`. */
export function isWithin(category: string, ancestor: string): boolean {
  return category === ancestor || category.startsWith(`${ancestor}.`);
}

/** A category's own label: its nearest ancestor's in the policy. */
export function labelOfCategory(policy: LabelPolicy, category: string): Label {
  for (let key = category; key !== ''; key = key.slice(0, Math.max(0, key.lastIndexOf('.')))) {
    const label = policy.labels[key];
    if (label) return label;
  }
  return 'internal';
}

/** The strictest of the reasons decides; without any, what nobody knows anything about is internal, never public. */
export function judge(reasons: readonly LabelReason[]): Judged {
  const sorted = reasons.toSorted((a, b) => rankOf(b.label) - rankOf(a.label));
  return { label: sorted[0]?.label ?? 'internal', reasons: sorted.slice(0, REASONS_MAX) };
}

export interface FieldEvidence {
  readonly path: string;
  readonly category: string;
  /** Label that the detectors that fired here give, with how often; a stray finding is no evidence. */
  readonly detected: readonly { readonly type: string; readonly label: Label; readonly count: number }[];
  readonly samples: number;
}

/** Share of a field's samples in which a detector must fire to speak for the field rather than for one value. */
const SHARE_MIN = 0.02;
/** One restricted value (a card in a comment) makes a field restricted all the same once it recurs. */
const STRAY_MAX = 1;

export function judgeField(policy: LabelPolicy, field: FieldEvidence): Judged {
  const reasons: LabelReason[] = [
    { because: 'category', text: field.category, label: labelOfCategory(policy, field.category) },
  ];
  for (const { type, label, count } of field.detected) {
    const isStray = count <= STRAY_MAX && field.samples > count / SHARE_MIN;
    if (!isStray) reasons.push({ because: 'detection', text: `${type} in ${count} of ${field.samples}`, label });
  }
  return judge(reasons);
}

export interface SetEvidence {
  readonly fields: readonly { readonly path: string; readonly category: string; readonly label: Label }[];
  readonly records: number;
  /** Labels that came with the data from elsewhere. */
  readonly inflows: readonly { readonly from: string; readonly label: Label }[];
}

/** The label of a data set: of its strictest field, of what its fields tell together, of how many, of where it is from. */
export function judgeSet(policy: LabelPolicy, set: SetEvidence): Judged {
  const reasons: LabelReason[] = [];
  const strictest = set.fields.toSorted((a, b) => rankOf(b.label) - rankOf(a.label))[0];
  if (strictest) reasons.push({ because: 'field', text: strictest.path, label: strictest.label });
  for (const { name, all, label } of policy.combinations) {
    if (all.every((wanted) => set.fields.some(({ category }) => isWithin(category, wanted)))) {
      reasons.push({ because: 'combination', text: name, label });
    }
  }
  for (const { from, label } of set.inflows) reasons.push({ because: 'flow', text: `from ${from}`, label });
  const base = judge(reasons);
  for (const { name, label, records, raised } of policy.volumes) {
    if (set.records >= records && rankOf(base.label) >= rankOf(label))
      reasons.push({ because: 'volume', text: name, label: raised });
  }
  return judge(reasons);
}

/** A person's word stands over what was found, both ways; the reasons of what was found are kept. */
export function withPin(judged: Judged, pinned: Label | null): Judged {
  if (pinned === null) return judged;
  return { label: pinned, reasons: [{ because: 'pinned', text: 'by a person', label: pinned }, ...judged.reasons] };
}

/**
 * Carries labels along flows until nothing changes: what holds a copy of confidential data is confidential. Labels only
 * rise, so it ends after at most (labels x sets) rounds, also in circles. Pinned sets take no label from elsewhere.
 */
export function propagate(
  own: ReadonlyMap<string, Label>,
  flows: readonly { readonly from: string; readonly to: string; readonly carried?: Label }[],
  pinned: ReadonlySet<string>,
): Map<string, { readonly label: Label; readonly from: string | null }> {
  const result = new Map([...own].map(([id, label]) => [id, { label, from: null as string | null }]));
  for (let changed = true; changed;) {
    changed = false;
    for (const { from, to, carried } of flows) {
      const source = result.get(from);
      const target = result.get(to);
      if (!source || !target || pinned.has(to)) continue;
      // What a flow carries can be less than its source holds, never more.
      const moved = carried && rankOf(carried) < rankOf(source.label) ? carried : source.label;
      if (rankOf(moved) <= rankOf(target.label)) continue;
      result.set(to, { label: moved, from });
      changed = true;
    }
  }
  return result;
}
