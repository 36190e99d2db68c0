import { createHash } from 'node:crypto';

/** A CSAF 2.0 document of a vendor, as small as the standard lets it be. */
export function makeCsaf(
  id: string,
  { vendor = 'Acme', status = 'known_affected' }: { readonly vendor?: string; readonly status?: string } = {},
): string {
  const day = '2026-01-02T00:00:00Z';
  const product = { product_id: 'P1', name: `${vendor} Cloud` };
  return JSON.stringify({
    document: {
      category: 'csaf_security_advisory',
      csaf_version: '2.0',
      title: `${vendor}: ${id}`,
      distribution: { tlp: { label: 'WHITE' } },
      publisher: { category: 'coordinator', name: 'A coordinator', namespace: 'https://coordinator.example' },
      notes: [{ category: 'summary', text: 'Sessions could be taken over.' }],
      tracking: {
        id,
        version: '1',
        status: 'final',
        initial_release_date: day,
        current_release_date: day,
        revision_history: [{ date: day, number: '1', summary: 'first' }],
      },
    },
    product_tree: {
      branches: [
        { category: 'vendor', name: vendor, branches: [{ category: 'product_name', name: 'Cloud', product }] },
      ],
    },
    vulnerabilities: [
      {
        cve: 'CVE-2026-0001',
        product_status: { [status]: ['P1'] },
        scores: [{ products: ['P1'], cvss_v3: { version: '3.1', baseScore: 9.1, baseSeverity: 'CRITICAL' } }],
      },
    ],
  });
}

export interface MadeEntry {
  readonly name: string;
  readonly content: string;
  readonly updated: string;
}

/** What a provider serves below `base` (CSAF 2.0, section 7), by path: by a directory, and the same by ROLIE. */
export function makeProvider(
  base: string,
  entries: readonly MadeEntry[],
  by: 'directory' | 'rolie',
): Map<string, string> {
  const files = new Map<string, string>();
  const newest = entries.toSorted((a, b) => (a.updated < b.updated ? 1 : -1));
  for (const { name, content } of entries) {
    files.set(`/white/${name}`, content);
    const hash = createHash('sha512').update(content).digest('hex');
    files.set(`/white/${name}.sha512`, `${hash}  ${name.split('/').at(-1) ?? ''}\n`);
    files.set(`/white/${name}.asc`, '-----BEGIN PGP SIGNATURE-----\n');
  }
  files.set('/white/index.txt', newest.map(({ name }) => `${name}\n`).join(''));
  files.set('/white/changes.csv', newest.map(({ name, updated }) => `"${name}","${updated}"\n`).join(''));
  const entry = newest.map(({ name, updated }) => ({
    id: name,
    title: name,
    published: updated,
    updated,
    link: [
      { rel: 'self', href: `${base}/white/${name}` },
      { rel: 'hash', href: `${base}/white/${name}.sha512` },
      { rel: 'signature', href: `${base}/white/${name}.asc` },
    ],
    content: { type: 'application/json', src: `${base}/white/${name}` },
    format: { schema: 'https://docs.oasis-open.org/csaf/csaf/v2.0/csaf_json_schema.json', version: '2.0' },
  }));
  files.set('/white/csaf-feed-tlp-white.json', JSON.stringify({ feed: { id: 'white', title: 'white', entry } }));
  const feeds = [{ summary: 'TLP:WHITE', tlp_label: 'WHITE', url: `${base}/white/csaf-feed-tlp-white.json` }];
  const metadata = {
    canonical_url: `${base}/.well-known/csaf/provider-metadata.json`,
    distributions: [by === 'rolie' ? { rolie: { feeds } } : { directory_url: `${base}/white/` }],
    last_updated: '2026-01-01T00:00:00Z',
    metadata_version: '2.0',
    publisher: { category: 'coordinator', name: 'A coordinator', namespace: 'https://coordinator.example' },
    role: 'csaf_trusted_provider',
  };
  files.set('/.well-known/csaf/provider-metadata.json', JSON.stringify(metadata));
  return files;
}
