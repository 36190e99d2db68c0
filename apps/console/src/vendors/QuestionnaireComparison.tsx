import Badge from '@cloudscape-design/components/badge';
import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import Header from '@cloudscape-design/components/header';
import SpaceBetween from '@cloudscape-design/components/space-between';
import Table from '@cloudscape-design/components/table';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { api } from '../api/api-client.ts';
import { asProblem, taken } from '../api/problem.ts';
import { useCommand } from '../api/use-command.ts';
import { useCan } from '../session/session-query.ts';
import { ProblemAlert } from '../shell/ProblemAlert.tsx';
import { type Comparison, comparisonQuery } from './insight-queries.ts';
import type { Questionnaire } from './vendor-queries.ts';

type Change = Comparison['changes'][number];
const COLORS = { same: 'grey', changed: 'blue', new: 'green', gone: 'red' } as const;

function answerText(value: Change['before']): string {
  const answer = value?.answer ?? null;
  const text = answer === null ? '-' : typeof answer === 'string' ? answer : answer.join(', ');
  return value?.note ? `${text} (${value.note})` : text;
}

/** Against the questionnaire before it: what changed, and answers that can be taken over. */
export function QuestionnaireComparison({ questionnaire }: { readonly questionnaire: Questionnaire }) {
  const can = useCan();
  const [isOpen, setOpen] = useState(false);
  const comparison = useQuery({ ...comparisonQuery(questionnaire.id), enabled: isOpen });
  const answered = new Set(questionnaire.answers.map(({ questionId }) => questionId));
  const proposals = (comparison.data?.proposals ?? []).filter(({ questionId }) => !answered.has(questionId));
  const takeOver = useCommand({
    run: async () => {
      for (const { questionId, value } of proposals) {
        const params = { path: { id: questionnaire.id, questionId } };
        taken(await api.PUT('/api/v1/questionnaires/{id}/answers/{questionId}', { params, body: value }));
      }
      return proposals.length;
    },
    done: (count) => `${count} answers are taken over.`,
    changes: [['questionnaires']],
  });
  const isFirst = comparison.error !== null && asProblem(comparison.error).problem.code === 'vendors.not_found';
  const items = (comparison.data?.changes ?? []).filter(({ change }) => change !== 'same');
  if (!isOpen) return <Button onClick={() => setOpen(true)}>Compare with the one before</Button>;
  return (
    <SpaceBetween size="s">
      <ProblemAlert error={takeOver.error ?? (isFirst ? null : comparison.error)} />
      <Table<Change>
        variant="container"
        wrapLines
        loading={comparison.isPending}
        loadingText="Comparing"
        items={items}
        trackBy="id"
        ariaLabels={{ tableLabel: 'Comparison' }}
        header={
          <Header
            variant="h2"
            counter={comparison.data ? `(${items.length} of ${comparison.data.changes.length})` : ''}
            description="What differs from the questionnaire before it."
            actions={
              can('vendor.write') && questionnaire.state !== 'reviewed' && proposals.length > 0 ? (
                <Button loading={takeOver.isPending} onClick={() => takeOver.mutate(undefined)}>
                  {`Take over ${proposals.length} answers`}
                </Button>
              ) : null
            }
          >
            Comparison
          </Header>
        }
        columnDefinitions={[
          {
            id: 'id',
            header: 'Question',
            isRowHeader: true,
            minWidth: 240,
            cell: (row) => `${row.id} ${row.question}`,
          },
          {
            id: 'change',
            header: 'Change',
            cell: (row) => (
              <>
                <Badge color={COLORS[row.change]}>{row.change}</Badge> {row.isRephrased ? 'asked in other words' : ''}
              </>
            ),
          },
          { id: 'before', header: 'Before', cell: (row) => answerText(row.before) },
          { id: 'after', header: 'Now', cell: (row) => answerText(row.after) },
        ]}
        empty={
          <Box color="text-body-secondary">
            {isFirst ? 'This is the first questionnaire of this vendor.' : 'Nothing differs.'}
          </Box>
        }
      />
    </SpaceBetween>
  );
}
