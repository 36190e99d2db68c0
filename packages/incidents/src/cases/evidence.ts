import { createHash } from 'node:crypto';
import {
  type Actor,
  appendAudit,
  authorize,
  type Clock,
  type Database,
  describeActor,
  type SecretEnvelope,
  uuidv7,
} from '@cordon/kernel';
import { CaseUnknown, EvidenceBroken, IncidentsInputInvalid } from '../errors.ts';
import type { IncidentTables } from '../tables.ts';
import { addEntry, type CaseEvidence, lockCase } from './case-store.ts';

export const EVIDENCE_BYTES_MAX = 10 * 1024 * 1024;
const PER_CASE_MAX = 200;

/**
 * Files of a case. Each is sealed for its row, and the SHA-256 of its clear bytes stands in the audit trail, so that a
 * file that was exchanged, in the database or by whoever holds the key, no longer fits its record.
 */
export function createEvidence({
  db,
  clock,
  envelope,
}: {
  readonly db: Database;
  readonly clock: Clock;
  readonly envelope: SecretEnvelope;
}) {
  return {
    async add(
      actor: Actor,
      caseId: string,
      file: { readonly name: string; readonly mediaType: string; readonly content: Uint8Array },
    ): Promise<CaseEvidence> {
      authorize(actor, 'case.write');
      const { content } = file;
      if (content.byteLength === 0) throw new IncidentsInputInvalid('The file is empty.');
      if (content.byteLength > EVIDENCE_BYTES_MAX)
        throw new IncidentsInputInvalid(`A file has at most ${EVIDENCE_BYTES_MAX} bytes.`);
      const at = clock.now();
      const sha256 = createHash('sha256').update(content).digest('hex');
      const made: CaseEvidence = {
        id: uuidv7(at),
        name: file.name.slice(0, 300),
        mediaType: file.mediaType.slice(0, 200),
        bytes: content.byteLength,
        sha256,
        addedAt: at,
        addedBy: describeActor(actor).name,
      };
      await db.transaction(async (tx) => {
        const { title } = await lockCase(tx, caseId);
        const tables = tx.tables<IncidentTables>();
        const { count } = await tables
          .selectFrom('incident_evidence')
          .select(({ fn }) => fn.countAll<number>().as('count'))
          .where('case_id', '=', caseId)
          .executeTakeFirstOrThrow();
        if (count >= PER_CASE_MAX) throw new IncidentsInputInvalid(`A case has at most ${PER_CASE_MAX} files.`);
        await tables
          .insertInto('incident_evidence')
          .values({
            id: made.id,
            case_id: caseId,
            name: made.name,
            media_type: made.mediaType,
            bytes: made.bytes,
            sha256,
            sealed: envelope.seal(content, `evidence:${made.id}`),
            added_at: at,
            added_by: made.addedBy,
          })
          .execute();
        const detail = { evidence: made.id, name: made.name, sha256, bytes: made.bytes };
        await addEntry(tx, caseId, {
          kind: 'evidence',
          at,
          recordedAt: at,
          author: made.addedBy,
          text: made.name,
          detail,
        });
        await appendAudit(tx, {
          actor,
          action: 'case.evidence_added',
          target: { type: 'case', id: caseId, name: title },
          detail,
          at,
        });
      });
      return made;
    },

    /** The clear bytes, checked against the hash of when they came. Reading evidence is on record too. */
    async read(
      actor: Actor,
      caseId: string,
      id: string,
    ): Promise<{ name: string; mediaType: string; content: Buffer }> {
      authorize(actor, 'case.read');
      const row = await db
        .tables<IncidentTables>()
        .selectFrom('incident_evidence')
        .selectAll()
        .where('id', '=', id)
        .where('case_id', '=', caseId)
        .executeTakeFirst();
      if (!row) throw new CaseUnknown('There is no such file in this case.');
      const content = envelope.open(row.sealed, `evidence:${id}`);
      if (createHash('sha256').update(content).digest('hex') !== row.sha256) {
        throw new EvidenceBroken('This file is not the one that was added.', { evidence: id });
      }
      await db.transaction((tx) =>
        appendAudit(tx, {
          actor,
          action: 'case.evidence_read',
          target: { type: 'case', id: caseId },
          detail: { evidence: id, sha256: row.sha256 },
          at: clock.now(),
        }),
      );
      return { name: row.name, mediaType: row.media_type, content };
    },
  };
}

export type Evidence = ReturnType<typeof createEvidence>;
