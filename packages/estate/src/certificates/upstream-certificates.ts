import { type Actor, AppId, appendAudit, authorize, type Queryable, type Transaction } from '@cordon/kernel';
import { type CertificateProblem, certificateProblems, type SeenConnection, seenConnection } from '@cordon/policy';
import type { Kysely, Selectable } from 'kysely';
import { z } from 'zod';
import { loadApp, lockApp } from '../app-store.ts';
import type { EstateContext } from '../context.ts';
import { parseInput } from '../input.ts';

const GATEWAY: Actor = { kind: 'system', name: 'gateway' };
/** An app has a handful of hosts; former ones stay until the app goes. */
const HOSTS_MAX = 200;

const report = z.strictObject({ appId: z.uuid(), host: z.string().min(1).max(300), seen: seenConnection });

interface CertificateTables {
  upstream_certificates: {
    app_id: string;
    host: string;
    seen: unknown;
    seen_at: Date | null;
    refused: string | null;
    refused_at: Date | null;
    told: string[];
    told_on: string | null;
  };
}

const tablesOf = (source: Queryable): Kysely<CertificateTables> => source.tables<CertificateTables>();

/** An upstream as gateways saw it last, and what is wrong with that today. */
export interface UpstreamCertificate {
  readonly host: string;
  /** The last connection that came about. */
  readonly seen: SeenConnection | null;
  readonly seenAt: number | null;
  /** Why the last connection was refused, when none came about since. */
  readonly refused: string | null;
  readonly refusedAt: number | null;
  readonly problems: readonly CertificateProblem[];
}

function present(row: Selectable<CertificateTables['upstream_certificates']>, now: number): UpstreamCertificate {
  const seen = row.seen === null ? null : seenConnection.parse(row.seen);
  const { refused } = row;
  const none = { chain: [], protocol: null, cipher: null };
  return {
    host: row.host,
    seen,
    seenAt: row.seen_at?.getTime() ?? null,
    refused,
    refusedAt: row.refused_at?.getTime() ?? null,
    problems: certificateProblems({ ...(seen ?? none), refused }, now),
  };
}

async function lockRow(tx: Transaction, appId: string, host: string) {
  return tablesOf(tx)
    .selectFrom('upstream_certificates')
    .selectAll()
    .where('app_id', '=', appId)
    .where('host', '=', host)
    .forUpdate()
    .executeTakeFirst();
}

/** What is said of a certificate in the trail, and so in the event: names, dates and sizes. */
function detailOf({ host, seen, refused, problems }: UpstreamCertificate): Record<string, unknown> {
  const leaf = seen?.chain[0];
  return {
    host,
    problems,
    ...(refused === null ? {} : { refused }),
    ...(leaf
      ? {
          subject: leaf.subject,
          issuer: leaf.issuer,
          notAfter: new Date(leaf.notAfter).toISOString(),
          key: leaf.keyBits === null ? leaf.keyType : `${leaf.keyType} ${leaf.keyBits}`,
          signature: leaf.signature,
          protocol: seen.protocol,
          cipher: seen.cipher,
        }
      : {}),
  };
}

/** Certificates of upstreams, as gateways report them. */
export function createUpstreamCertificates({ db, clock }: EstateContext) {
  return {
    /**
     * What a gateway saw when it connected. People are told of problems by one record a host and day, or when they
     * change: the trail's record becomes an event, and a rule makes an alert of it.
     */
    async report(raw: unknown): Promise<void> {
      const { appId, host, seen } = parseInput(report, raw);
      const at = clock.now();
      const when = new Date(at);
      const day = when.toISOString().slice(0, 10);
      await db.transaction(async (tx) => {
        // The app's lock: gateway processes that connect at once report it once.
        const app = await lockApp(tx, AppId.parse(appId));
        const before = await lockRow(tx, app.id, host);
        const isRefused = seen.refused !== null;
        const row = {
          app_id: app.id,
          host,
          seen: isRefused ? (before?.seen ?? null) : seen,
          seen_at: isRefused ? (before?.seen_at ?? null) : when,
          refused: seen.refused,
          refused_at: isRefused ? when : null,
        };
        const view = present({ ...row, told: [], told_on: null }, at);
        const toldToday = before?.told_on === day;
        const isNews = view.problems.length > 0 && !(toldToday && before.told.join() === view.problems.join());
        const told = isNews ? { told: [...view.problems], told_on: day } : {};
        const stored = { ...row, seen: row.seen === null ? null : JSON.stringify(row.seen), ...told };
        const count = await tablesOf(tx)
          .selectFrom('upstream_certificates')
          .select(({ fn }) => fn.countAll<string>().as('count'))
          .where('app_id', '=', app.id)
          .executeTakeFirstOrThrow();
        if (!before && Number(count.count) >= HOSTS_MAX) return;
        await tablesOf(tx)
          .insertInto('upstream_certificates')
          .values({ told: [], told_on: null, ...stored })
          .onConflict((conflict) => conflict.columns(['app_id', 'host']).doUpdateSet(stored))
          .execute();
        if (!isNews) return;
        await appendAudit(tx, {
          actor: GATEWAY,
          action: 'upstream-certificate.reported',
          target: { type: 'app', id: app.id, name: app.name },
          detail: detailOf(view),
          at,
        });
      });
    },

    /** The upstreams of an app, those with problems first. */
    async list(actor: Actor, id: string): Promise<UpstreamCertificate[]> {
      authorize(actor, 'app.read');
      const app = await loadApp(db, AppId.parse(id));
      const rows = await tablesOf(db)
        .selectFrom('upstream_certificates')
        .selectAll()
        .where('app_id', '=', app.id)
        .orderBy('host')
        .limit(HOSTS_MAX)
        .execute();
      const now = clock.now();
      return rows
        .map((row) => present(row, now))
        .toSorted((a, b) => Number(b.problems.length > 0) - Number(a.problems.length > 0));
    },
  };
}
