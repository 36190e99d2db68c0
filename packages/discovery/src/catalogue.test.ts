import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { createCatalogue, loadCatalogue } from './catalogue.ts';

const FOLDER = fileURLToPath(new URL('../../../content/catalogue/', import.meta.url));
const catalogue = loadCatalogue(FOLDER);
const domains = catalogue.apps.flatMap(({ id, domains: list }) => list.map((domain) => ({ id, domain })));

/** Under these anybody can have a name: who uses one says nothing about who runs it. */
const SHARED = `
  amazonaws.com cloudfront.net akamai.net akamaiedge.net akamaihd.net edgekey.net edgesuite.net
  fastly.net fastlylb.net azureedge.net azurewebsites.net windows.net cloudapp.net azure.com
  googleapis.com gstatic.com googleusercontent.com appspot.com run.app web.app firebaseapp.com
  github.io gitlab.io herokuapp.com vercel.app netlify.app pages.dev workers.dev
  onrender.com cloudflare.net cdn77.org jsdelivr.net unpkg.com b-cdn.net llnwd.net
  stackpathdns.com ngrok.app ngrok-free.app trycloudflare.com loca.lt blogspot.com myshopify.com
  google.com microsoft.com apple.com amazon.com live.com zoho.com.cn yahoo.com
`
  .trim()
  .split(/\s+/);
const SUFFIXES = new Set([...SHARED, 'co.uk', 'org.uk', 'com.au', 'co.jp', 'com.br', 'co.in', 'co.nz', 'com.cn']);

test('there are at least 600 apps, each with its facts', () => {
  expect(catalogue.apps.length).toBeGreaterThanOrEqual(600);
  expect(catalogue.apps.filter(({ ai }) => ai).length).toBeGreaterThan(100);
  expect(catalogue.apps.filter(({ name, company }) => name.trim() !== name || company.trim() !== company)).toEqual([]);
});

test('no domain is a public suffix or shared by many companies', () => {
  expect(domains.filter(({ domain }) => SUFFIXES.has(domain))).toEqual([]);
});

test('no domain is spelled as no registry allows', () => {
  const odd = domains.filter(({ domain }) => !/^(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)+[a-z]{2,}$/.test(domain));
  expect(odd).toEqual([]);
});

test('no app has a domain beneath another of its own: the shorter says it', () => {
  const doubled = catalogue.apps.flatMap(({ domains: list }) =>
    list.filter((domain) => list.some((other) => domain.endsWith(`.${other}`))),
  );
  expect(doubled).toEqual([]);
});

test('no two apps have the same name, and no name for grants is taken by another', () => {
  const seen = new Map<string, string>();
  const doubled: string[] = [];
  for (const { id, name, clients } of catalogue.apps) {
    for (const one of new Set([name, ...clients].map((text) => text.toLowerCase()))) {
      const other = seen.get(one);
      if (other) doubled.push(`${one}: ${other}, ${id}`);
      seen.set(one, id);
    }
  }
  expect(doubled).toEqual([]);
});

test('every hint says where it can be read', () => {
  const hints = catalogue.apps.flatMap((app) => app.hints);
  expect(hints.filter(({ source }) => !source?.startsWith('https://'))).toEqual([]);
});

test.each([
  ['slack.com', 'slack'],
  ['files.slack.com', 'slack'],
  ['notslack.com', undefined],
  ['drive.google.com', 'google-workspace'],
  ['mail.google.com', 'gmail'],
  ['www.google.com', undefined],
  ['paper.dropbox.com', 'dropbox-paper'],
  ['www.dropbox.com', 'dropbox'],
  ['acme.atlassian.net', 'atlassian-cloud'],
  ['workdrive.zoho.com', 'zoho-workdrive'],
  ['crm.zoho.com', 'zoho-crm'],
  ['com', undefined],
])('%s belongs to %s', (host, id) => {
  expect(catalogue.byHost(host)?.id).toBe(id);
});

test.each([
  ['Otter.ai', 'otter-ai'],
  ['otter', 'otter-ai'],
  ['Fireflies.ai', 'fireflies-ai'],
  ['Zoom for Google Workspace', 'zoom'],
  ['Slack SSO', 'slack'],
  ['Some Tool Nobody Knows', undefined],
])('the client %s is %s', (name, id) => {
  expect(catalogue.byClient(name)?.id).toBe(id);
});

test.each([
  ['NOTION.SO SAN FRANCISCO CA', 'notion'],
  ['PAYPAL *DROPBOX', 'dropbox'],
  ['Grammarly Inc.', 'grammarly'],
  ['Mailchimp Monthly', 'mailchimp'],
  ['CANVA* I03421-778', 'canva'],
  ['Close the loop consulting', undefined],
  ['Square dance evening', undefined],
  ['Hotel Adler', undefined],
])('the payee %s is %s', (payee, id) => {
  expect(catalogue.byMerchant(payee)?.id).toBe(id);
});

test('a domain of two apps is refused', () => {
  const [app] = catalogue.apps;
  expect(() => createCatalogue([app!, { ...app!, id: 'other' }])).toThrow('belongs to');
});
