import { attestationFacts, FINDING_STATES, LANGUAGES, SEVERITIES } from '@cordon/vendors';
import { z } from 'zod';

/** Response schemas of attestations, own audits, penetration tests and findings. Days are ISO texts. */

type Mutable<Value> = Value extends readonly (infer Item)[]
  ? Mutable<Item>[]
  : Value extends object
    ? { -readonly [Key in keyof Value]: Mutable<Value[Key]> }
    : Value;

/** The same, in the mutable arrays that the serializer's types ask for. */
export function plain<Value>(value: Value): Mutable<Value> {
  return structuredClone(value) as Mutable<Value>; // a copy, so that nobody else's is written to
}

const passage = z.object({ start: z.int(), end: z.int(), page: z.int(), text: z.string() });
export const attestationBody = z.object({
  id: z.string(),
  vendorId: z.string(),
  fileId: z.string().nullable(),
  kind: z.string(),
  title: z.string(),
  state: z.enum(['proposed', 'confirmed', 'rejected']),
  standing: z.enum(['proposed', 'rejected', 'not_yet_valid', 'valid', 'expired']),
  reading: z.object({
    characters: z.int(),
    kinds: z.array(z.object({ kind: z.string(), passages: z.array(passage) })),
    proposals: z.array(z.object({ fact: z.string(), value: z.unknown(), passages: z.array(passage) })),
    remarks: z.array(z.string()),
  }),
  facts: attestationFacts.nullable(),
  validFrom: z.string().nullable(),
  validUntil: z.string().nullable(),
  note: z.string(),
  decidedBy: z.string().nullable(),
  decidedAt: z.int().nullable(),
  createdBy: z.string(),
  createdAt: z.int(),
});
export const attestationKindBody = z.object({
  id: z.string(),
  title: z.string(),
  standard: z.string(),
  why: z.string(),
  needs: z.array(z.string()),
});
export const attestationWarningBody = z.object({
  vendorId: z.string(),
  attestationId: z.string(),
  kind: z.enum(['gap', 'uncovered', 'bridge_too_long', 'expired', 'expiring', 'opinion']),
  isCovered: z.boolean(),
  from: z.string(),
  until: z.string(),
  text: z.string(),
});

const severity = z.enum(SEVERITIES);
export const checklistBody = z.object({
  id: z.string(),
  title: z.string(),
  why: z.string(),
  everyMonths: z.int(),
  items: z.array(z.object({ id: z.string(), text: z.string(), evidence: z.string(), severity })),
});
export const auditBody = z.object({
  id: z.string(),
  vendorId: z.string(),
  title: z.string(),
  checklist: checklistBody,
  owner: z.string(),
  everyMonths: z.int().nullable(),
  endedAt: z.int().nullable(),
  createdAt: z.int(),
  runs: z.array(
    z.object({
      id: z.string(),
      auditId: z.string(),
      dueOn: z.string(),
      results: z.record(
        z.string(),
        z.object({
          outcome: z.enum(['pass', 'fail', 'not_applicable']),
          note: z.string(),
          files: z.array(z.object({ id: z.string(), name: z.string() })),
          by: z.string(),
          at: z.number(),
        }),
      ),
      doneAt: z.int().nullable(),
      doneBy: z.string().nullable(),
    }),
  ),
});

export const findingBody = z.object({
  id: z.string(),
  vendorId: z.string(),
  pentestId: z.string().nullable(),
  auditRunId: z.string().nullable(),
  reference: z.string(),
  title: z.string(),
  description: z.string(),
  recommendation: z.string(),
  severity,
  cvssScore: z.number().nullable(),
  cvssVector: z.string().nullable(),
  side: z.enum(['vendor', 'own']),
  owner: z.string(),
  dueOn: z.string().nullable(),
  isOverdue: z.boolean(),
  state: z.enum(FINDING_STATES),
  acceptedUntil: z.string().nullable(),
  foundOn: z.string(),
  closedAt: z.int().nullable(),
  createdAt: z.int(),
  updatedAt: z.int(),
});
const state = z.enum(FINDING_STATES).nullable();
export const findingDetailBody = findingBody.extend({
  entries: z.array(
    z.object({
      id: z.string(),
      findingId: z.string(),
      side: z.enum(['vendor', 'own']),
      author: z.string(),
      text: z.string(),
      from: state,
      to: state,
      fileId: z.string().nullable(),
      fileName: z.string().nullable(),
      isShared: z.boolean(),
      at: z.int(),
    }),
  ),
});
export const pentestBody = z.object({
  id: z.string(),
  vendorId: z.string(),
  fileId: z.string().nullable(),
  title: z.string(),
  kind: z.enum(['report', 'letter', 'own']),
  integrationId: z.string().nullable(),
  tester: z.string(),
  scope: z.string(),
  testedFrom: z.string().nullable(),
  testedUntil: z.string().nullable(),
  createdBy: z.string(),
  createdAt: z.int(),
});

const cell = z.object({ column: z.int(), text: z.string() });
export const findingOutlineBody = z.object({
  sheets: z.array(
    z.object({
      sheet: z.string(),
      rows: z.int(),
      proposal: z
        .object({
          headerRow: z.int(),
          columns: z.partialRecord(
            z.enum(['reference', 'title', 'severity', 'cvss', 'description', 'recommendation']),
            z.int(),
          ),
        })
        .nullable(),
      header: z.array(cell),
      sample: z.array(z.array(cell)),
    }),
  ),
  text: z
    .object({
      findings: z.array(
        z.object({
          reference: z.string(),
          title: z.string(),
          description: z.string(),
          recommendation: z.string(),
          severity: severity.nullable(),
          cvssScore: z.number().nullable(),
          cvssVector: z.string().nullable(),
        }),
      ),
      problems: z.array(z.string()),
    })
    .nullable(),
});

export const portalFindingsBody = z.object({
  vendor: z.string(),
  email: z.string(),
  language: z.enum(LANGUAGES),
  findings: z.array(
    z.object({
      id: z.string(),
      reference: z.string(),
      title: z.string(),
      description: z.string(),
      recommendation: z.string(),
      severity,
      cvssScore: z.number().nullable(),
      dueOn: z.string().nullable(),
      isOverdue: z.boolean(),
      state: z.enum(FINDING_STATES),
      entries: z.array(
        z.object({
          id: z.string(),
          /** Null: somebody of the asking side. */
          author: z.string().nullable(),
          text: z.string(),
          to: state,
          fileName: z.string().nullable(),
          at: z.int(),
        }),
      ),
    }),
  ),
});
