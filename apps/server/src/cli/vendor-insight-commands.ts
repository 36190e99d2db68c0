import { readFile, writeFile } from 'node:fs/promises';
import type { Command } from 'commander';
import type { CliContext } from './context.ts';
import { day, note, print, printJson, printTable, take, UsageWrong } from './output.ts';

interface FeedOptions {
  readonly csaf?: boolean;
  readonly csafProvider?: boolean;
  readonly ca?: string;
  readonly minutes: string;
  readonly privateAddress?: string[];
}

/** Scores, monitoring and exports of vendors; `verify` needs no running Cordon. */
export function addVendorInsightCommands(program: Command, context: CliContext): void {
  const group = program.commands.find((one) => one.name() === 'vendor');
  if (!group) throw new Error('the commands of vendors come first');

  const find = async (name: string) => {
    const { api, url, token } = await context.connect();
    const { items } = take(await api.GET('/api/v1/vendors'));
    const vendor = items.find((one) => one.name.toLowerCase() === name.toLowerCase() || one.id === name);
    if (!vendor) throw new UsageWrong(`There is no vendor named ${name}.`);
    return { api, url, token, vendor, params: { path: { id: vendor.id } } };
  };

  group
    .command('score <vendor>')
    .description('weigh a vendor: every term, and what contradicts its answers')
    .option('--mend <key...>', 'what the score would be if these terms were mended')
    .option('--json', 'rows with weights and links')
    .action(async (name: string, { mend, json }: { mend?: string[]; json?: boolean }) => {
      const { api, params } = await find(name);
      if (mend) {
        const done = take(await api.POST('/api/v1/vendors/{id}/score/simulations', { params, body: { mend } }));
        if (json) printJson(done);
        else print(`${done.before.residual} would be ${done.after.residual} with: ${done.fixed.join('; ')}`);
        return;
      }
      const { score, contradictions, weights } = take(await api.GET('/api/v1/vendors/{id}/score', { params }));
      if (json) return printJson({ score, contradictions, weights });
      const rows = score.rows.map(({ points, what, value, key }) => [String(points), what, value, key]);
      printTable(['points', 'what', 'value', 'key'], rows);
      print(`${score.residual} of 100 (inherent ${score.inherent}), weights ${weights}`);
      for (const { severity, title, evidence, goneAt, decision } of contradictions) {
        if (goneAt === null && decision === null) print(`${severity} ${title}: ${evidence[0]?.text ?? ''}`);
      }
    });

  group
    .command('hosts <vendor>')
    .description("what was seen of a vendor's hosts: certificate, TLS, security.txt, CAA")
    .option('--look', 'look again soon')
    .option('--json', 'everything that was seen')
    .action(async (name: string, { look, json }: { look?: boolean; json?: boolean }) => {
      const { api, params } = await find(name);
      if (look) {
        const { hosts } = take(await api.POST('/api/v1/vendors/{id}/hosts/look', { params }));
        note(`${hosts} hosts are looked at soon`);
      }
      const { items } = take(await api.GET('/api/v1/vendors/{id}/hosts', { params }));
      if (json) return printJson(items);
      const found = (one: (typeof items)[number]): string =>
        one.observation?.problem ?? (one.problems.map(({ text }) => text).join(' ') || 'nothing found');
      const rows = items.map((one) => [
        `${one.host}:${one.port}`,
        day(one.checkedAt),
        one.observation === null ? 'not looked at yet' : found(one),
      ]);
      return printTable(['host', 'looked', 'found'], rows);
    });

  group
    .command('news [vendor]')
    .description('what changed: hosts, notices, contradictions, scores')
    .action(async (name: string | undefined) => {
      const one = name === undefined ? null : await find(name);
      const { api } = one ?? (await context.connect());
      const { items } =
        one === null
          ? take(await api.GET('/api/v1/vendor-news'))
          : take(await api.GET('/api/v1/vendors/{id}/news', { params: one.params }));
      printTable(
        ['day', 'severity', 'what'],
        items.map(({ at, severity, title }) => [day(at), severity, title]),
      );
    });

  group
    .command('feed <name> <url>')
    .description('read notices of vendors and compromised OAuth clients from an address')
    .option('--csaf', 'one CSAF 2.0 document instead of a feed')
    .option('--csaf-provider', 'all documents of a CSAF 2.0 provider, by its provider-metadata.json or its domain')
    .option('--ca <file>', 'an authority (PEM) to trust for this address')
    .option('--minutes <number>', 'how often', '60')
    .option('--private-address <address...>', 'a private address that the name may resolve to')
    .action(async (name: string, url: string, { csaf, csafProvider, ca, minutes, privateAddress }: FeedOptions) => {
      const { api } = await context.connect();
      const kind = csafProvider ? 'csaf_provider' : csaf ? 'csaf' : 'notices';
      const caCertificates = ca === undefined ? [] : [await readFile(ca, 'utf8')];
      const privateAddresses = privateAddress ?? [];
      const body = { name, url, kind, everyMinutes: Number(minutes), privateAddresses, caCertificates } as const;
      take(await api.POST('/api/v1/vendor-feeds', { body }));
      note(`${name} is read soon`);
    });

  group
    .command('notice <vendor> <file>')
    .description('a notice that came to you: a CSAF 2.0 document, or a text with --title; opens a case')
    .option('--title <text>', 'what happened, for a text')
    .option('--severity <word>', 'critical, high, medium or low, for a text', 'high')
    .action(async (name: string, file: string, { title, severity: word }: { title?: string; severity: string }) => {
      const { api, params } = await find(name);
      const severity = (['critical', 'high', 'medium', 'low'] as const).find((one) => one === word);
      if (!severity) throw new UsageWrong('A severity is critical, high, medium or low.');
      const text = await readFile(file, 'utf8');
      const body =
        title === undefined
          ? { form: 'csaf' as const, content: text }
          : { form: 'hand' as const, title, text, severity, occurredAt: null, reference: '' };
      const { items } = take(await api.POST('/api/v1/vendors/{id}/notices', { params, body }));
      printTable(
        ['severity', 'notice', 'case'],
        items.map((one) => [one.severity, one.title, one.caseId ?? '-']),
      );
    });

  group
    .command('clients')
    .description('OAuth clients that are called compromised, and their grants in connected tools')
    .option('--add <id>', 'call this client compromised')
    .option('--cut <id>', 'take every grant of this client away')
    .option('--why <text>', 'the reason; kept as evidence')
    .action(async ({ add, cut, why }: { add?: string; cut?: string; why?: string }) => {
      const { api } = await context.connect();
      const reason = (): string => {
        if (why === undefined) throw new UsageWrong('Say why, with --why.');
        return why;
      };
      if (add !== undefined) {
        const answer = await api.POST('/api/v1/compromised-clients', { body: { clientId: add, reason: reason() } });
        take(answer);
      }
      if (cut !== undefined) {
        const body = { clientId: cut, reason: reason() };
        note(`run ${take(await api.POST('/api/v1/compromised-clients/cuts', { body })).runId}`);
      }
      const { items } = take(await api.GET('/api/v1/compromised-clients'));
      printTable(
        ['client', 'why', 'grants'],
        items.map((one) => [one.clientId, one.reason, one.found.map(({ text }) => text).join('; ') || '-']),
      );
    });

  group
    .command('export <vendor>')
    .description('the whole vendor file, as a signed PDF or as OSCAL')
    .requiredOption('--out <file>', 'where to')
    .option('--oscal', 'OSCAL assessment results instead of the PDF')
    .action(async (name: string, { out, oscal }: { out: string; oscal?: boolean }) => {
      const { url, token, vendor } = await find(name);
      const address = `${url}/api/v1/vendors/${vendor.id}/export.${oscal ? 'oscal' : 'pdf'}`;
      const answer = await fetch(address, { headers: { authorization: `Bearer ${token}` } });
      if (!answer.ok) throw new UsageWrong(`The server answered ${answer.status}.`);
      await writeFile(out, Buffer.from(await answer.arrayBuffer()));
      note(`${out} is written`);
    });

  group
    .command('certificate')
    .description('the certificate that exports are signed with')
    .action(async () => {
      const { api } = await context.connect();
      print(take(await api.GET('/api/v1/vendor-export-certificate')).certificate.trim());
    });

  group
    .command('verify <file>')
    .description('check an exported PDF, without a running Cordon')
    .option('--certificate <file>', 'the certificate that it must be signed by, as PEM')
    .action(async (file: string, { certificate }: { certificate?: string }) => {
      const { verifyPdf } = await import('@cordon/vendors');
      const { X509Certificate } = await import('node:crypto');
      const seen = verifyPdf(await readFile(file));
      if (certificate !== undefined) {
        const wanted = new X509Certificate(await readFile(certificate));
        const fingerprint = wanted.fingerprint256.replaceAll(':', '').toLowerCase();
        if (fingerprint !== seen.fingerprint)
          throw new UsageWrong('The signature is good, but by another certificate.');
      }
      print(`good, by ${seen.certificate.subject}, SHA-256 ${seen.fingerprint}`);
      if (certificate === undefined) note('Compare the fingerprint with one that you have from elsewhere.');
    });
}
