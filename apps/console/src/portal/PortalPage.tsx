import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import FormField from '@cloudscape-design/components/form-field';
import Input from '@cloudscape-design/components/input';
import Select from '@cloudscape-design/components/select';
import SpaceBetween from '@cloudscape-design/components/space-between';
import StatusIndicator from '@cloudscape-design/components/status-indicator';
import { useMutation, useQuery } from '@tanstack/react-query';
import { type ReactNode, useEffect, useState } from 'react';
import { api } from '../api/api-client.ts';
import { taken } from '../api/problem.ts';
import { ProblemAlert } from '../shell/ProblemAlert.tsx';
import { EntrancePage } from '../session/EntrancePage.tsx';
import { PortalFindings } from './PortalFindings.tsx';
import { PortalForm } from './PortalForm.tsx';
import { storedSession, storeSession } from './portal-api.ts';
import {
  LANGUAGE_NAMES,
  PORTAL_LANGUAGES,
  PORTAL_TEXTS,
  type PortalLanguage,
  type PortalTexts,
} from './portal-texts.ts';

/** The token stands in the fragment, which no server and no log ever sees. */
const readToken = (): string => window.location.hash.slice(1);

/** The page of somebody without an account: a link, a code by mail, then the questions. */
export function PortalPage() {
  const [token] = useState(readToken);
  const [session, setSession] = useState(storedSession);
  const [chosen, setChosen] = useState<PortalLanguage | null>(null);
  const look = useQuery({
    queryKey: ['portal', 'look', token],
    queryFn: async () => taken(await api.POST('/api/v1/portal/look', { body: { token } })),
    enabled: token !== '',
    retry: false,
    staleTime: Number.POSITIVE_INFINITY,
  });
  const language = chosen ?? look.data?.language ?? 'en';
  const texts = PORTAL_TEXTS[language];
  useEffect(() => {
    document.documentElement.lang = language;
    document.title = look.data?.title ?? 'Cordon';
  }, [language, look.data]);
  const picker = <LanguagePicker language={language} texts={texts} onChange={setChosen} />;
  const enter = (value: string | null): void => {
    storeSession(value);
    setSession(value);
  };
  if (token === '') return <EntrancePage title={texts.noLink}>{withPicker(texts.noLinkText, picker)}</EntrancePage>;
  if (look.error) return <EntrancePage title={texts.deadLink}>{withPicker(texts.deadLinkText, picker)}</EntrancePage>;
  if (!look.data) {
    return (
      <EntrancePage title="…">
        <StatusIndicator type="loading" />
      </EntrancePage>
    );
  }
  if (session !== null && look.data.leadsTo === 'findings') {
    return <PortalFindings session={session} language={language} picker={picker} onEnded={() => enter(null)} />;
  }
  if (session !== null) {
    return (
      <PortalForm session={session} language={language} texts={texts} picker={picker} onEnded={() => enter(null)} />
    );
  }
  return (
    <EntrancePage title={texts.prove} description={look.data.title}>
      <SpaceBetween size="l">
        <CodeForm token={token} email={look.data.email} texts={texts} onSession={enter} />
        {picker}
      </SpaceBetween>
    </EntrancePage>
  );
}

function withPicker(text: string, picker: ReactNode) {
  return (
    <SpaceBetween size="l">
      <Box>{text}</Box>
      {picker}
    </SpaceBetween>
  );
}

function LanguagePicker({
  language,
  texts,
  onChange,
}: {
  readonly language: PortalLanguage;
  readonly texts: PortalTexts;
  readonly onChange: (language: PortalLanguage) => void;
}) {
  const options = PORTAL_LANGUAGES.map((value) => ({ value, label: LANGUAGE_NAMES[value] }));
  return (
    <FormField label={texts.language}>
      <Select
        options={options}
        selectedOption={options.find(({ value }) => value === language) ?? null}
        onChange={({ detail }) => onChange(detail.selectedOption.value as PortalLanguage)} // one of the options
      />
    </FormField>
  );
}

function CodeForm({
  token,
  email,
  texts,
  onSession,
}: {
  readonly token: string;
  readonly email: string;
  readonly texts: PortalTexts;
  readonly onSession: (session: string) => void;
}) {
  const [code, setCode] = useState('');
  const send = useMutation({
    mutationFn: async () => taken(await api.POST('/api/v1/portal/code', { body: { token } })),
  });
  const enter = useMutation({
    mutationFn: async () => taken(await api.POST('/api/v1/portal/session', { body: { token, code: code.trim() } })),
    onSuccess: ({ session }) => onSession(session),
  });
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        enter.mutate();
      }}
    >
      <SpaceBetween size="m">
        <ProblemAlert error={enter.error ?? send.error} />
        <Box>
          {texts.proveText} <b>{email}</b>.
        </Box>
        <Button
          formAction="none"
          variant={send.isSuccess ? 'normal' : 'primary'}
          loading={send.isPending}
          onClick={() => send.mutate()}
        >
          {send.isSuccess ? texts.sendAgain : texts.sendCode}
        </Button>
        {send.isSuccess ? (
          <>
            <FormField label={texts.code}>
              <Input
                value={code}
                inputMode="numeric"
                autoComplete="one-time-code"
                onChange={({ detail }) => setCode(detail.value)}
              />
            </FormField>
            <Button
              variant="primary"
              formAction="submit"
              loading={enter.isPending}
              disabled={!/^\s*\d{6}\s*$/.test(code)}
            >
              {texts.enter}
            </Button>
          </>
        ) : null}
      </SpaceBetween>
    </form>
  );
}
