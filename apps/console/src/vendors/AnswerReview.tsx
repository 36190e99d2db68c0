import Badge from '@cloudscape-design/components/badge';
import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import FormField from '@cloudscape-design/components/form-field';
import Input from '@cloudscape-design/components/input';
import SpaceBetween from '@cloudscape-design/components/space-between';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { api } from '../api/api-client.ts';
import { taken } from '../api/problem.ts';
import { useCommand } from '../api/use-command.ts';
import { useCan } from '../session/session-query.ts';
import { ProblemAlert } from '../shell/ProblemAlert.tsx';
import type { Questionnaire } from './vendor-queries.ts';

type Question = Questionnaire['form']['sections'][number]['questions'][number];

/** One answer before a reviewer: accept it, ask on, or see what the vendor's own documents say. */
export function AnswerReview({
  questionnaire,
  question,
}: {
  readonly questionnaire: Questionnaire;
  readonly question: Question;
}) {
  const can = useCan();
  const [comment, setComment] = useState('');
  const [isCiting, setCiting] = useState(false);
  const path = { id: questionnaire.id, questionId: question.id };
  const review = useCommand({
    run: async (verdict: 'accepted' | 'follow_up') =>
      taken(
        await api.POST('/api/v1/questionnaires/{id}/reviews/{questionId}', {
          params: { path },
          body: { verdict, comment },
        }),
      ),
    changes: [['questionnaires']],
    onDone: () => setComment(''),
  });
  const cited = useQuery({
    queryKey: ['questionnaires', questionnaire.id, 'suggestions', question.id],
    queryFn: async () =>
      taken(await api.GET('/api/v1/questionnaires/{id}/suggestions/{questionId}', { params: { path } })).items,
    enabled: isCiting,
  });
  const answer = questionnaire.answers.find(({ questionId }) => questionId === question.id);
  const comments = questionnaire.comments.filter(({ questionId }) => questionId === question.id);
  return (
    <section aria-label={`${question.id} ${question.text}`}>
      <SpaceBetween size="xs">
        <Box variant="h3">
          {question.id} {question.text}
        </Box>
        {answer ? (
          <Box>
            <Badge color={answer.value.answer === 'No' ? 'red' : 'blue'}>{String(answer.value.answer)}</Badge>{' '}
            {answer.value.note} {answer.value.ownership}
          </Box>
        ) : (
          <Box color="text-body-secondary">Not answered.</Box>
        )}
        {answer?.review ? (
          <Badge color={answer.review === 'accepted' ? 'green' : 'grey'}>
            {answer.review === 'accepted' ? 'Accepted' : 'Asked on'}
          </Badge>
        ) : null}
        {comments.map(({ id, author, text }) => (
          <Box key={id}>
            <b>{author}</b>: {text}
          </Box>
        ))}
        <ProblemAlert error={review.error} />
        {can('vendor.write') && answer && questionnaire.state === 'submitted' ? (
          <SpaceBetween direction="horizontal" size="xs" alignItems="end">
            <FormField label={`Comment on ${question.id}`}>
              <Input value={comment} onChange={({ detail }) => setComment(detail.value)} />
            </FormField>
            <Button ariaLabel={`Accept ${question.id}`} onClick={() => review.mutate('accepted')}>
              Accept
            </Button>
            <Button
              ariaLabel={`Ask on about ${question.id}`}
              disabled={comment.trim() === ''}
              onClick={() => review.mutate('follow_up')}
            >
              Ask on
            </Button>
          </SpaceBetween>
        ) : null}
        <Button
          variant="inline-link"
          ariaLabel={`What their documents say: ${question.id}`}
          onClick={() => setCiting(!isCiting)}
        >
          What their documents say
        </Button>
        {isCiting && cited.data?.length === 0 ? (
          <Box color="text-body-secondary">Nothing found in the vendor’s files.</Box>
        ) : null}
        {isCiting
          ? cited.data?.map(({ fileId, fileName, page, text }) => (
              <Box key={`${fileId}-${page}-${text.slice(0, 40)}`} color="text-body-secondary">
                “{text}” ({fileName}, page {page})
              </Box>
            ))
          : null}
      </SpaceBetween>
    </section>
  );
}
