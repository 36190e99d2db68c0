import { type Actor, appendAudit, authorize, describeActor, type Transaction, uuidv7 } from '@cordon/kernel';
import { z } from 'zod';
import { parseInput } from '../context.ts';
import { InputInvalid, StateConflict } from '../errors.ts';
import { insertFile, isPicture, openFile, readAs } from '../register/file-store.ts';
import type { Upload } from '../register/vendor-commands.ts';
import { loadVendor } from '../register/vendor-store.ts';
import type { AssuranceContext } from './assurance-context.ts';
import { type Attestation, type AttestationReading, attestationFacts } from './attestation.ts';
import { insertAttestation, loadAttestation, lockAttestation, updateAttestation } from './attestation-store.ts';
import type { AttestationKind } from './kind.ts';
import { missingFacts, validityOf } from './validity.ts';

const NOTE_CHARS_MAX = 2_000;
const PICTURE: AttestationReading = {
  characters: 0,
  kinds: [],
  proposals: [],
  remarks: ['A picture holds no text. Give what it says by hand.'],
};
const note = z.string().trim().max(NOTE_CHARS_MAX);

/** What a person says an attestation is and holds: it stands before what was read. */
export const attestationDecision = z.strictObject({
  kind: z.string().max(60),
  facts: attestationFacts,
  note: note.default(''),
});

/** Everything about attestations that changes state. */
export function createAttestationCommands(context: AssuranceContext) {
  const { db, clock, envelope, kinds } = context;

  const kindOf = (id: string): AttestationKind => {
    const kind = kinds.find((one) => one.id === id);
    if (!kind)
      throw new InputInvalid(`There is no kind of attestation named ${id}.`, { kinds: kinds.map((one) => one.id) });
    return kind;
  };
  const change = async (
    actor: Actor,
    id: string,
    action: string,
    write: (tx: Transaction, attestation: Attestation, at: number) => Promise<Record<string, unknown>>,
  ): Promise<Attestation> => {
    authorize(actor, 'vendor.write');
    const at = clock.now();
    return db.transaction(async (tx) => {
      const attestation = await lockAttestation(tx, id);
      const detail = await write(tx, attestation, at);
      const target = { type: 'attestation', id, name: attestation.title };
      await appendAudit(tx, { actor, action, target, detail: { vendor: attestation.vendorId, ...detail }, at });
      return loadAttestation(tx, id);
    });
  };

  return {
    kinds,

    /** Keeps a report, letter or certificate and proposes what it says. `kind`: what the person says it is. */
    async add(actor: Actor, vendorId: string, upload: Upload, kind?: string): Promise<Attestation> {
      authorize(actor, 'vendor.write');
      if (kind !== undefined) kindOf(kind);
      const read = isPicture(upload.bytes) ? null : await context.files.attest(upload.bytes, kind);
      const file = readAs(upload.name, upload.bytes, read?.document ?? null);
      const reading = read?.reading ?? PICTURE;
      const at = clock.now();
      const id = uuidv7(at);
      return db.transaction(async (tx) => {
        const vendor = await loadVendor(tx, vendorId);
        const by = describeActor(actor).name;
        const kept = await insertFile(tx, envelope, file, { vendorId: vendor.id, purpose: 'evidence', by, at });
        const chosen = kind ?? reading.kinds[0]?.kind ?? '';
        await insertAttestation(tx, { id, vendorId, fileId: kept.id, kind: chosen, title: kept.name, reading, by, at });
        const target = { type: 'attestation', id, name: kept.name };
        const detail = { vendor: vendor.id, file: kept.sha256, kind: chosen, proposals: reading.proposals.length };
        await appendAudit(tx, { actor, action: 'attestation.added', target, detail, at });
        return loadAttestation(tx, id);
      });
    },

    /** Reads the file anew as another kind, as long as nobody decided. */
    async readAs(actor: Actor, id: string, kind: string): Promise<Attestation> {
      authorize(actor, 'vendor.write');
      kindOf(kind);
      const { vendorId, fileId } = await loadAttestation(db, id);
      if (fileId === null) throw new StateConflict('There is no file to read.');
      const { bytes } = await openFile(db, envelope, vendorId, fileId);
      const read = isPicture(bytes) ? null : await context.files.attest(bytes, kind);
      return change(actor, id, 'attestation.read_as', async (tx, attestation) => {
        if (attestation.state !== 'proposed') throw new StateConflict('Somebody has decided on it already.');
        const reading = read?.reading ?? attestation.reading;
        await updateAttestation(tx, id, { kind, reading: JSON.stringify(reading) });
        return { kind };
      });
    },

    /** A person's word: from now on it counts, from when until when by its kind's rule. It can be given again. */
    async confirm(actor: Actor, id: string, raw: unknown): Promise<Attestation> {
      const { kind: kindId, facts, note: said } = parseInput(attestationDecision, raw);
      const kind = kindOf(kindId);
      const missing = missingFacts(kind, facts);
      if (missing.length > 0) {
        throw new InputInvalid(`${kind.title} needs: ${missing.join(', ')}.`, {
          fields: missing.map((field) => ({ field: `facts.${field}`, message: 'is needed' })),
        });
      }
      const { periodStart: start, periodEnd: end } = facts;
      if (start !== null && end !== null && end < start) throw new InputInvalid('The period ends before it begins.');
      const { validFrom, validUntil, remark } = validityOf(kind, facts);
      return change(actor, id, 'attestation.confirmed', async (tx, attestation, at) => {
        const read = new Map(attestation.reading.proposals.map(({ fact, value }) => [fact, JSON.stringify(value)]));
        const corrected = Object.entries(facts).flatMap(([fact, value]) =>
          read.has(fact) && read.get(fact) !== JSON.stringify(value) ? [fact] : [],
        );
        await updateAttestation(tx, id, {
          kind: kind.id,
          state: 'confirmed',
          facts: JSON.stringify(facts),
          valid_from: validFrom,
          valid_until: validUntil,
          note: [said, remark].filter((text) => text !== null && text !== '').join(' '),
          decided_by: describeActor(actor).name,
          decided_at: new Date(at),
        });
        return { kind: kind.id, corrected, validFrom, validUntil };
      });
    },

    /** It counts for nothing: not theirs, not genuine, not for the service that is used. */
    reject(actor: Actor, id: string, reason: string): Promise<Attestation> {
      const why = parseInput(note.min(3), reason);
      return change(actor, id, 'attestation.rejected', async (tx, _attestation, at) => {
        await updateAttestation(tx, id, {
          state: 'rejected',
          facts: null,
          valid_from: null,
          valid_until: null,
          note: why,
          decided_by: describeActor(actor).name,
          decided_at: new Date(at),
        });
        return { reason: why };
      });
    },
  };
}
