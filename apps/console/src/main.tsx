import '@cloudscape-design/global-styles/index.css';
import I18nProvider from '@cloudscape-design/components/i18n';
import messages from '@cloudscape-design/components/i18n/messages/all.en';
import { QueryClientProvider } from '@tanstack/react-query';
import { RouterProvider } from '@tanstack/react-router';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { onSignedOut } from './api/api-client.ts';
import { queryClient } from './api/query-client.ts';
import { router } from './router.tsx';
import { reloadSession } from './session/session-query.ts';
import { startTheme } from './shell/theme.ts';

startTheme();
onSignedOut(() => {
  const { pathname, href } = router.state.location;
  if (['/sign-in', '/welcome', '/enrol'].includes(pathname)) return;
  void reloadSession().then(() => router.navigate({ to: '/sign-in', search: { next: href }, replace: true }));
});

const place = document.querySelector('#root');
if (place) {
  createRoot(place).render(
    <StrictMode>
      <QueryClientProvider client={queryClient}>
        <I18nProvider locale="en" messages={[messages]}>
          <RouterProvider router={router} />
        </I18nProvider>
      </QueryClientProvider>
    </StrictMode>,
  );
}
