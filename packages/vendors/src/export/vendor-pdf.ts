import { problemsOf } from '../monitoring/host.ts';
import { questionsOf } from '../questionnaire/form.ts';
import type { PdfLine } from './pdf.ts';
import type { VendorFileContent } from './vendor-file.ts';

const dayOf = (ms: number | null): string => (ms === null ? '-' : new Date(ms).toISOString().slice(0, 10));
const list = (items: readonly string[]): string => items.join(', ') || '-';

function section(title: string, lines: readonly string[]): PdfLine[] {
  return [{ text: title, style: 'heading' }, ...(lines.length === 0 ? ['None.'] : lines).map((text) => ({ text }))];
}

function questionnaireLines({ questionnaires }: VendorFileContent): PdfLine[] {
  return questionnaires.flatMap(({ title, form, state, submittedAt, answers, comments }) => {
    const given = new Map(answers.map((one) => [one.questionId, one]));
    const lines = questionsOf(form).map(({ id, text }) => {
      const answer = given.get(id);
      const value = answer?.value.answer ?? null;
      const said = value === null ? 'not answered' : typeof value === 'string' ? value : value.join('; ');
      const note = answer?.value.note ? ` (${answer.value.note})` : '';
      const by = answer ? ` [${answer.by}, ${dayOf(answer.at)}${answer.review ? `, ${answer.review}` : ''}]` : '';
      return `${id} ${text}: ${said}${note}${by}`;
    });
    const remarks = comments.map(
      ({ questionId, author, side, text }) => `Remark on ${questionId} by ${author} (${side}): ${text}`,
    );
    return section(`Questionnaire: ${title} (${state}, submitted ${dayOf(submittedAt)})`, [...lines, ...remarks]);
  });
}

/** The vendor file as pages of text, in the order in which somebody reads it. */
export function vendorLines(file: VendorFileContent, at: number): PdfLine[] {
  const { vendor, scores } = file;
  const { profile } = vendor;
  const score = scores[0];
  return [
    { text: `Vendor file: ${vendor.name}`, style: 'title' },
    {
      text: `As of ${new Date(at).toISOString()}. Attached: vendor-file.json (everything, exactly) and oscal.json.`,
      style: 'small',
    },
    ...section('Register', [
      `Stage: ${vendor.stage}. Tier: ${profile.tier}. Owner: ${profile.owner || '-'}. Apps: ${vendor.appIds.length}.`,
      `Website: ${profile.website ?? '-'}. Products: ${list(profile.products)}. Regions: ${list(profile.regions)}.`,
      `Contacts: ${list(profile.contacts.map(({ name, email, role }) => `${name} <${email}> ${role}`.trim()))}.`,
      `Security contacts: ${list(profile.securityTxt?.contacts ?? [])}.`,
      ...(profile.note === '' ? [] : [`Note: ${profile.note}`]),
    ]),
    ...section(
      score
        ? `Score: ${score.residual} of 100 (inherent ${score.inherent}), ${dayOf(score.at)}, weights ${score.weights}`
        : 'Score',
      (score?.rows ?? []).map(
        ({ points, what, value, weight }) => `${points > 0 ? '+' : ''}${points}  ${what}: ${value} (${weight})`,
      ),
    ),
    ...section(
      'Contradictions',
      file.contradictions.map(
        ({ severity, title, said, evidence, foundAt, goneAt, decision }) =>
          `${severity}, ${dayOf(foundAt)}${goneAt === null ? '' : `, gone ${dayOf(goneAt)}`}${decision ? `, dismissed by ${decision.by}: ${decision.reason}` : ''}: ` +
          `${title}. Said: ${list(said.answers)}. Seen: ${evidence.map(({ text }) => text).join('; ')}`,
      ),
    ),
    ...section(
      'Attestations',
      file.attestations.map(
        ({ title, kind, state, validFrom, validUntil }) =>
          `${title} (${kind}): ${state}, ${validFrom ?? '-'} to ${validUntil ?? '-'}`,
      ),
    ),
    ...section(
      'Findings',
      file.findings.map(({ severity, title, state, dueOn }) => `${severity}: ${title}: ${state}, due ${dueOn ?? '-'}`),
    ),
    ...file.contracts.flatMap(({ title, check, confirmations, createdAt }) =>
      section(
        `Contract: ${title} (${dayOf(createdAt)})`,
        check.clauses.map(({ id, title: clause, status, reasons, clock }) => {
          const said = confirmations[id];
          const hours = said?.hours === null || said?.hours === undefined ? '' : `, corrected to ${said.hours} hours`;
          const word = said ? ` [${said.verdict} by ${said.by}${hours}]` : '';
          return `${clause}: ${status}${clock ? ` (${clock.text})` : ''}${word} ${reasons.join(' ')}`.trim();
        }),
      ),
    ),
    ...questionnaireLines(file),
    ...section(
      'Hosts',
      file.hosts.map(({ host, port, source, observation, checkedAt }) => {
        const problems = observation === null ? [] : problemsOf(observation, at).map(({ text }) => text);
        const state =
          observation === null ? 'not looked at yet' : (observation.problem ?? (problems.join(' ') || 'nothing found'));
        return `${host}:${port} (${source}), ${dayOf(checkedAt)}: ${state}`;
      }),
    ),
    ...section(
      'Notices',
      file.notices.map(
        ({ severity, title, occurredAt, at: when }) => `${severity}, ${dayOf(occurredAt ?? when)}: ${title}`,
      ),
    ),
    ...section(
      'Subprocessors',
      file.subprocessors.map(
        ({ name, country, purpose, source }) => `${name}, ${country ?? '-'}, ${purpose ?? '-'} (${source})`,
      ),
    ),
    ...section(
      'Offboarding',
      file.tasks.map(
        ({ title, doneAt, doneBy, proof }) =>
          `${title}: ${doneAt === null ? 'open' : `${dayOf(doneAt)} by ${doneBy}: ${JSON.stringify(proof)}`}`,
      ),
    ),
    ...section(
      'Files',
      file.files.map(
        ({ name, purpose, sha256, bytes, createdBy, createdAt }) =>
          `${name} (${purpose}, ${bytes} bytes, ${createdBy}, ${dayOf(createdAt)}) SHA-256 ${sha256}`,
      ),
    ),
  ];
}
