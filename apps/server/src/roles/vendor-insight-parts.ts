import { randomBytes } from 'node:crypto';
import http from 'node:http';
import https from 'node:https';
import tls from 'node:tls';
import { fileURLToPath } from 'node:url';
import type { Manifests } from '@cordon/connectors';
import { checkLiteralHost, guardedLookup } from '@cordon/gateway';
import { type BlastRadius, receiveNotice } from '@cordon/incidents';
import type { Clock, Database, SecretEnvelope } from '@cordon/kernel';
import type { Lake } from '@cordon/lake';
import {
  AddressRefused,
  createAddressLookup,
  createCaaLookup,
  createExportCommands,
  createBadClientCommands,
  createFeedCommands,
  createScoreCommands,
  type FeedContext,
  type FeedWay,
  loadClauses,
  loadRegions,
  loadRules,
  loadWeights,
  type OpenNoticeCase,
  probeHost,
} from '@cordon/vendors';
import { noticeRadius } from './communication-parts.ts';
import { appHosts, createFindGrants, createObserve } from './vendor-observed.ts';

const CONTENT = fileURLToPath(new URL('../../../../content/', import.meta.url));
const FEED_MS_MAX = 20_000;

/** Reads a feed under the rules of egress; plain HTTP only to an address that somebody named; no redirect. */
export function fetchFeed(
  address: string,
  { privateAddresses, authorities, bytesMax }: FeedWay,
  resolve?: ReturnType<typeof createAddressLookup>,
): Promise<Buffer> {
  const url = new URL(address);
  const isPlain = url.protocol === 'http:';
  return new Promise((done, reject) => {
    checkLiteralHost(url.hostname, privateAddresses);
    if (isPlain && !privateAddresses.includes(url.hostname.replace(/^\[|\]$/g, ''))) {
      throw new Error(`${url.origin} is not encrypted; http is allowed only to a private address that is listed`);
    }
    const request = (isPlain ? http : https).get(
      url,
      {
        agent: false,
        lookup: guardedLookup(privateAddresses, resolve),
        signal: AbortSignal.timeout(FEED_MS_MAX),
        headers: { accept: 'application/json, text/csv, text/plain;q=0.9, */*;q=0.1', 'user-agent': 'cordon' },
        ca: [...tls.getCACertificates('default'), ...authorities],
      },
      (answer) => {
        const chunks: Buffer[] = [];
        let bytes = 0;
        answer.on('data', (chunk: Buffer) => {
          bytes += chunk.length;
          if (bytes > bytesMax) request.destroy(new Error('the feed is too large'));
          else chunks.push(chunk);
        });
        answer.once('error', reject);
        answer.once('end', () => {
          if (answer.statusCode === 200) done(Buffer.concat(chunks));
          else reject(new AddressRefused(answer.statusCode ?? 0));
        });
      },
    );
    request.once('error', reject);
  });
}

function reachText({ links }: BlastRadius): string {
  const count = (kind: string): number => links.filter((one) => one.kind === kind).length;
  return `${count('app')} apps and ${count('integration')} integrations here`;
}

export interface VendorInsightDeps {
  readonly db: Database;
  readonly clock: Clock;
  readonly envelope: SecretEnvelope;
  readonly lake: Pick<Lake, 'traffic' | 'usage'>;
  readonly manifests: Manifests;
  readonly publicUrl: string;
  /** Name servers for vendors' hosts; none: the system's. */
  readonly dnsServers: readonly string[];
}

/** Scores, monitoring and export of vendors: what both control and worker build them from. */
export function createVendorInsight(deps: VendorInsightDeps) {
  const { db, clock, envelope, publicUrl } = deps;
  const base = { db, clock, envelope, publicUrl };
  const notices = { db, clock, envelope, blastRadius: (vendor: string) => noticeRadius(db, vendor) };
  const openCase: OpenNoticeCase = async (actor, notice) => {
    const { vendor, title, text, severity, reference, occurredAt, csaf } = notice;
    const occurred = occurredAt === null ? {} : { occurredAt };
    const input =
      csaf === null
        ? {
            form: 'form' as const,
            vendor,
            title: title.slice(0, 200),
            text: text || title,
            severity,
            reference,
            ...occurred,
          }
        : { form: 'csaf' as const, content: csaf, vendor };
    const { caseId, radius } = await receiveNotice(notices, actor, input);
    return { caseId, reach: reachText(radius) };
  };
  const lookupCaa = createCaaLookup(deps.dnsServers);
  const resolve = deps.dnsServers.length > 0 ? createAddressLookup(deps.dnsServers) : undefined;
  const watch: FeedContext = {
    ...base,
    hostsOf: (appIds) => appHosts(db, appIds),
    reach: (privateAddresses, authorities) => ({
      lookup: guardedLookup(privateAddresses, resolve),
      checkHost: (host) => checkLiteralHost(host, privateAddresses),
      authorities,
    }),
    probe: (target, reach, now) => probeHost(target, reach, { lookupCaa, now }),
    openCase,
    fetchBytes: (url, way) => fetchFeed(url, way, resolve),
  };
  return {
    scores: createScoreCommands({
      ...base,
      clauses: loadClauses(CONTENT),
      weights: loadWeights(CONTENT),
      regions: loadRegions(CONTENT),
      rules: loadRules(CONTENT),
      observe: createObserve(deps),
    }),
    watch,
    findGrants: createFindGrants(db),
    feeds: createFeedCommands({ db, clock }),
    badClients: createBadClientCommands({ db, clock }),
    exports: createExportCommands({ ...base, random: randomBytes }),
  };
}
export type VendorInsight = ReturnType<typeof createVendorInsight>;
