import { type Actor, appendAudit, authorize, type Clock, type Database, describeActor } from '@cordon/kernel';
import { z } from 'zod';
import type { Catalogue } from './catalogue.ts';
import { DiscoveryInputInvalid } from './errors.ts';
import type { FoundUse } from './found-app.ts';
import { type LogReport, readLog } from './logs/read-log.ts';
import { recordEvidence, type ServedApp } from './record-evidence.ts';
import { EVIDENCE_KINDS } from './sighting.ts';
import { tablesOf } from './tables.ts';

const READS_MAX = 100;
const HOUR_MS = 3_600_000;
/** A user of a log that says nothing about who: one row, not a person. */
const count = z.int().min(0);
const badLine = z.object({ line: count, why: z.string() });
const unknownDomain = z.object({ domain: z.string(), events: count, bytes: count });

/** What is kept of a read: everything but the users, which are in the apps that were found. */
export const keptReport = z.object({
  evidence: z.enum(EVIDENCE_KINDS),
  bytes: count,
  lines: count,
  traces: count,
  skipped: count,
  bad: count,
  badLines: z.array(badLine),
  apps: count,
  found: z.array(z.string()),
  unknown: z.array(unknownDomain),
});
export type KeptReport = z.output<typeof keptReport>;

export interface FileRead extends KeptReport {
  readonly sha256: string;
  readonly name: string;
  readonly format: string;
  readonly readBy: string;
  readonly readAt: number;
}

export const readOptions = z.strictObject({
  name: z.string().trim().min(1).max(200),
  format: z.string().max(40),
  /** Hours that the log's clock is ahead of UTC, for formats without a zone. */
  utcOffsetHours: z.number().min(-14).max(14).default(0),
});

export async function listReads(db: Database): Promise<FileRead[]> {
  const rows = await tablesOf(db)
    .selectFrom('discovery_read')
    .selectAll()
    .orderBy('read_at', 'desc')
    .limit(READS_MAX)
    .execute();
  return rows.map(({ sha256, name, format, report, read_by, read_at }) => ({
    ...keptReport.parse(report),
    sha256,
    name,
    format,
    readBy: read_by,
    readAt: read_at.getTime(),
  }));
}

/** Reading of files that somebody gives: the file itself is never kept. */
export function createReadCommands(deps: {
  readonly db: Database;
  readonly clock: Clock;
  readonly catalogue: Catalogue;
  readonly served: () => Promise<readonly ServedApp[]>;
}) {
  const { db, clock, catalogue } = deps;
  return {
    /** The same file again replaces what it told before: nothing counts twice. */
    async read(actor: Actor, raw: z.input<typeof readOptions>, source: AsyncIterable<Uint8Array>): Promise<FileRead> {
      authorize(actor, 'discovery.write');
      const parsed = readOptions.safeParse(raw);
      if (!parsed.success) throw new DiscoveryInputInvalid(z.prettifyError(parsed.error));
      const { name, format, utcOffsetHours } = parsed.data;
      const at = clock.now();
      const report: LogReport = await readLog(source, {
        format,
        catalogue,
        now: at,
        utcOffsetMs: utcOffsetHours * HOUR_MS,
      });
      const { evidence, sha256 } = report;
      const uses = report.uses.map((use): FoundUse => ({
        ...use,
        evidence,
        bucket: sha256,
        source: name,
        detail: null,
      }));
      const context = { catalogue, served: await deps.served(), now: at };
      const found = await recordEvidence(db, context, { evidence, bucket: sha256, uses });
      const apps = new Set(uses.map(({ app }) => app)).size;
      const kept: KeptReport = keptReport.parse({ ...report, apps, found });
      const row = {
        sha256,
        name,
        format,
        report: JSON.stringify(kept),
        read_by: describeActor(actor).name,
        read_at: new Date(at),
      };
      await db.transaction(async (tx) => {
        await tablesOf(tx)
          .insertInto('discovery_read')
          .values(row)
          .onConflict((conflict) => conflict.column('sha256').doUpdateSet(row))
          .execute();
        const detail = { format, lines: report.lines, bad: report.bad, apps, found: found.length };
        await appendAudit(tx, {
          actor,
          action: 'discovery.file_read',
          target: { type: 'log-file', id: sha256, name },
          detail,
          at,
        });
      });
      return { ...kept, sha256, name, format, readBy: row.read_by, readAt: at };
    },
  };
}
export type ReadCommands = ReturnType<typeof createReadCommands>;
