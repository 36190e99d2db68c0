import type { RequirementRule, RequirementBody } from '../api/wire.ts';

export const ASSURANCE_OPTIONS = [
  { value: 'm0', label: 'whatever its credential is (m0)' },
  { value: 'm1', label: 'a key (m1)' },
  { value: 'm2', label: 'two different keys (m2)' },
] as const;

export const APPROVAL_OPTIONS = [
  { value: '', label: 'no' },
  { value: 'body', label: 'the whole request' },
  { value: 'arguments', label: 'some arguments of it' },
  { value: 'operation', label: 'the operation, whatever is sent' },
] as const;

/** What the form holds: text as typed. */
export interface RequirementDraft {
  readonly name: string;
  readonly appId: string;
  readonly integrationId: string;
  readonly operations: string;
  readonly assurance: string;
  readonly dpopNonce: boolean;
  readonly approval: string;
  readonly arguments: string;
  readonly countMax: string;
  /** Selectors that the form doesn't show; kept as they are. */
  readonly otherSelectors: readonly unknown[];
}

type Entry = RequirementRule['entry'];

function listOf(text: string): string[] {
  return text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '');
}

export function describeRequirement(entry: Entry): string {
  const approval = APPROVAL_OPTIONS.find(({ value }) => value === entry.approval?.bind);
  const parts = [
    entry.assurance === 'm1' ? 'a key' : entry.assurance === 'm2' ? 'two different keys' : '',
    entry.dpopNonce ? 'a nonce in DPoP proofs' : '',
    entry.approval ? `approval of ${approval?.label ?? 'the call'} by a second person` : '',
  ].filter((part) => part !== '');
  return parts.join(', ') || 'nothing';
}

export function draftOfRequirement(rule: RequirementRule | null): RequirementDraft {
  const entry = rule?.entry;
  const select: readonly { kind: string; ids?: string[] }[] = entry?.select ?? [];
  return {
    name: rule?.name ?? '',
    appId: entry?.appId ?? '',
    integrationId: entry?.integrationId ?? '',
    operations: select.flatMap((one) => (one.kind === 'operations' ? (one.ids ?? []) : [])).join(', '),
    otherSelectors: select.filter(({ kind }) => kind !== 'operations'),
    assurance: entry?.assurance ?? 'm0',
    dpopNonce: entry?.dpopNonce ?? false,
    approval: entry?.approval?.bind ?? '',
    arguments: (entry?.approval?.arguments ?? []).join(', '),
    countMax: String(entry?.approval?.countMax ?? 1),
  };
}

/** What is sent; the server checks it and says which field is wrong. */
export function requirementBody(draft: RequirementDraft): RequirementBody {
  const ids = listOf(draft.operations);
  const approval =
    draft.approval === ''
      ? null
      : {
          bind: draft.approval,
          arguments: draft.approval === 'arguments' ? listOf(draft.arguments) : [],
          countMax: Number(draft.countMax),
        };
  const body = {
    name: draft.name,
    appId: draft.appId === '' ? null : draft.appId,
    integrationId: draft.integrationId === '' ? null : draft.integrationId,
    select: [...draft.otherSelectors, ...(ids.length > 0 ? [{ kind: 'operations', ids }] : [])],
    assurance: draft.assurance,
    dpopNonce: draft.dpopNonce,
    approval,
  };
  return body as RequirementBody; // text of selects; the server's schema decides
}
