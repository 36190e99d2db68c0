import { type Drill, type Entry } from './drill.ts';
import type { Check, Score } from './score.ts';

const clean = (text: string): string => text.replaceAll('|', '\\|').replaceAll(/\s+/g, ' ').trim();

/** `340 ms`, `4.2 s`, `12 min 5 s`, `3.1 h`. */
export function showMs(ms: number | null): string {
  if (ms === null) return 'never';
  if (ms < 1_000) return `${Math.round(ms)} ms`;
  if (ms < 60_000) return `${(ms / 1_000).toFixed(1)} s`;
  if (ms < 3_600_000) return `${Math.floor(ms / 60_000)} min ${Math.round((ms % 60_000) / 1_000)} s`;
  return `${(ms / 3_600_000).toFixed(1)} h`;
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.map(clean).join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}

function measureRows({ measures }: Score): string[][] {
  const named: readonly (readonly [string, number | null])[] = [
    ['first use to alert', measures.detectMs],
    ['alert to proposed playbook', measures.proposeMs],
    ['proposal to decision', measures.decideMs],
    ['decision to the last gateway that refuses', measures.containMs],
    ['of that, from the cut-off itself', measures.cutOffMs],
    ['decision to the attacker’s first refusal at the last address', measures.refusedMs],
    ['decision to the attacker’s last call that got through', measures.lastThroughMs],
    ['first use to the first notice', measures.notifyMs],
  ];
  return named.filter(([, ms]) => ms !== null).map(([name, ms]) => [name, showMs(ms)]);
}

const checkRow = ({ title, limitMs, tookMs, met, evidence }: Check): string[] => [
  met ? 'met' : 'not met',
  title,
  tookMs === null ? '' : showMs(tookMs),
  limitMs === null ? '' : showMs(limitMs),
  evidence,
];

/** The report of a drill as Markdown: what was expected, what happened, who was missing, what was learned. */
export function reportOf(drill: Drill, entries: readonly Entry[], score: Score): string {
  const { document } = drill;
  const began = drill.startedAt ?? drill.createdAt;
  const when = (at: number): string => new Date(at).toISOString().slice(0, 19).replace('T', ' ');
  const since = (at: number): string => `+${showMs(Math.max(0, at - began))}`;
  const measured = measureRows(score);
  const part = (title: string, body: string): string => `## ${title}\n\n${body}`;
  const parts = [
    `# Drill ${drill.number}: ${drill.title}`,
    `${drill.mode === 'live-fire' ? 'Live fire' : 'Tabletop'}, ${drill.status}, ${when(began)} UTC. Facilitator: ${drill.facilitator.name}. ${score.met} of ${score.total} checks met.`,
    document.summary,
    ...(drill.target === null
      ? []
      : [
          `Played against ${drill.target.app}, an app of the estate that is marked as a test system; granted: ${drill.target.operation}.`,
        ]),
    part('Objectives', document.objectives.map((one) => `- ${one}`).join('\n')),
    part('Checks', table(['result', 'expected', 'took', 'limit', 'evidence'], score.checks.map(checkRow))),
    ...(measured.length > 0 ? [part('Measured', table(['from, to', 'time'], measured))] : []),
    part(
      'Missing',
      score.missing.length === 0 ? 'Nothing and nobody.' : score.missing.map((one) => `- ${one}`).join('\n'),
    ),
    part(
      'What happened',
      table(
        ['time', 'who', 'what'],
        entries
          .filter(({ kind }) => kind !== 'probe')
          .map(({ at, author, text, kind }) => [since(at), author, `${kind}: ${text}`]),
      ),
    ),
    part('Lessons', drill.lessons === '' ? 'None were written down yet.' : drill.lessons),
    part('ATT&CK', document.attack.map(({ id, name }) => `- ${id} ${name}`).join('\n')),
    ...(document.sources.length > 0
      ? [
          part(
            'Sources',
            document.sources
              .map(
                ({ title, url, checked, note }) =>
                  `- ${title}, ${url}${checked === 'no' ? ' (not checked)' : ''}${note === '' ? '' : `: ${note}`}`,
              )
              .join('\n'),
          ),
        ]
      : []),
    ...(document.notChecked.length > 0
      ? [part('Not checked', document.notChecked.map((one) => `- ${one}`).join('\n'))]
      : []),
    `Scenario \`${drill.scenario}\`, SHA-256 ${drill.digest}.`,
  ];
  return `${parts.join('\n\n')}\n`;
}
