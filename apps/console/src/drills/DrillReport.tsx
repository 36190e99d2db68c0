import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import Container from '@cloudscape-design/components/container';
import { useQuery } from '@tanstack/react-query';
import { useParams } from '@tanstack/react-router';
import { Page } from '../shell/Page.tsx';
import { QueryState } from '../shell/QueryState.tsx';
import { reportQuery } from './drill-queries.ts';

const NAME = 'drill-report.md';

/** Saves without a server: the text is here already. */
function save(markdown: string): void {
  const address = URL.createObjectURL(new Blob([markdown], { type: 'text/markdown' }));
  const link = document.createElement('a');
  link.href = address;
  link.download = NAME;
  link.click();
  URL.revokeObjectURL(address);
}

export function DrillReport() {
  const { id } = useParams({ from: '/inside/drills/$id/report' });
  return (
    <QueryState query={useQuery(reportQuery(id))}>
      {(markdown) => (
        <Page
          title="Report"
          description="As Markdown, to be kept or sent on."
          parents={[
            { text: 'Drills', href: '/drills' },
            { text: 'Drill', href: `/drills/${id}` },
          ]}
          actions={<Button onClick={() => save(markdown)}>Save as Markdown</Button>}
        >
          <Container>
            <Lines markdown={markdown} />
          </Container>
        </Page>
      )}
    </QueryState>
  );
}

interface Block {
  readonly key: string;
  readonly kind: 'h1' | 'h2' | 'list' | 'table' | 'text';
  readonly lines: readonly string[];
}

/** The few forms that the report uses; everything else is text. */
function blocksOf(markdown: string): Block[] {
  return markdown
    .split('\n\n')
    .filter((part) => part.trim() !== '')
    .map((part, place): Block => {
      const lines = part.trim().split('\n');
      const first = lines[0] ?? '';
      const key = `${place} ${first.slice(0, 40)}`;
      if (first.startsWith('## ')) return { key, kind: 'h2', lines: [first.slice(3)] };
      if (first.startsWith('# ')) return { key, kind: 'h1', lines: [first.slice(2)] };
      if (first.startsWith('- ')) return { key, kind: 'list', lines: lines.map((line) => line.slice(2)) };
      return { key, kind: first.startsWith('| ') ? 'table' : 'text', lines };
    });
}

const cellsOf = (line: string): string[] =>
  line
    .slice(1, -1)
    .split(/(?<!\\)\|/)
    .map((cell) => cell.trim().replaceAll('\\|', '|'));

function Lines({ markdown }: { readonly markdown: string }) {
  return blocksOf(markdown).map(({ key, kind, lines }) => {
    if (kind === 'h1' || kind === 'h2')
      return (
        <Box key={key} variant={kind} padding={{ top: 's' }}>
          {lines[0]}
        </Box>
      );
    if (kind === 'list')
      return (
        <ul key={key}>
          {lines.map((line) => (
            <li key={line}>{line}</li>
          ))}
        </ul>
      );
    if (kind === 'text')
      return (
        <Box key={key} variant="p">
          {lines.join(' ')}
        </Box>
      );
    const [head = '', , ...rows] = lines;
    return (
      <div key={key} style={{ overflowX: 'auto' }}>
        <table style={{ borderCollapse: 'collapse' }}>
          <thead>
            <tr>
              {cellsOf(head).map((cell) => (
                <th key={cell} style={{ textAlign: 'start', paddingInlineEnd: 16 }}>
                  {cell}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {rows.map((row) => (
              <tr key={row}>
                {cellsOf(row).map((cell, place) => (
                  // oxlint-disable-next-line react/no-array-index-key -- cells of one row may say the same
                  <td key={place} style={{ paddingInlineEnd: 16, verticalAlign: 'top' }}>
                    {cell}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    );
  });
}
