import { EntrancePage } from './EntrancePage.tsx';
import { nextPath } from './SignInPage.tsx';
import { Factors } from './StepUpDialog.tsx';

/** An app asked for a fresh or stronger sign-in (OpenID Connect `max_age`, `acr_values`; SAML `ForceAuthn`). */
export function SignInAgainPage({ next, factor }: { readonly next?: string; readonly factor?: string }) {
  const path = nextPath(next);
  const goOn = (): void => window.location.assign(path);
  const cancel = (): void =>
    window.location.assign(path.startsWith('/sso/') ? `${path}${path.includes('?') ? '&' : '?'}cancel=1` : '/');
  const passkeyOnly = factor === 'passkey';
  const text = passkeyOnly
    ? 'The app that you are opening accepts only a passkey.'
    : 'The app that you are opening wants to know again that it is you.';
  return (
    <EntrancePage title="Confirm that it is you">
      <Factors text={text} passkeyOnly={passkeyOnly} onDone={goOn} onCancel={cancel} />
    </EntrancePage>
  );
}
