import Checkbox from '@cloudscape-design/components/checkbox';
import FormField from '@cloudscape-design/components/form-field';
import Input from '@cloudscape-design/components/input';
import SegmentedControl from '@cloudscape-design/components/segmented-control';
import SpaceBetween from '@cloudscape-design/components/space-between';
import Textarea from '@cloudscape-design/components/textarea';

export const EMPTY_APP = {
  protocol: 'oidc' as 'oidc' | 'saml',
  address: '',
  entityId: '',
  logout: '',
  frontLogout: '',
  certificate: '',
  encrypt: false,
  attributes: '',
};
type Draft = typeof EMPTY_APP;

const SOURCES = ['id', 'login', 'email', 'name', 'firstName', 'lastName', 'groups', 'roles'] as const;

/** `name = source`, one a line; another word than a source is taken for a constant. */
export function attributesOf(text: string) {
  return text.split('\n').flatMap((line) => {
    const at = line.lastIndexOf('=');
    const [name, given] = [line.slice(0, at).trim(), line.slice(at + 1).trim()];
    if (at < 1 || name === '' || given === '') return [];
    const source = SOURCES.find((one) => one === given);
    return [source === undefined ? { name, source: 'constant' as const, value: given } : { name, source }];
  });
}

export function isCustomReady(draft: Draft): boolean {
  return draft.address !== '' && (draft.protocol === 'oidc' || draft.entityId !== '');
}

/** The body that adds the app, without its name and who may use it. */
export function customBody(draft: Draft) {
  const logout = draft.logout === '' ? null : draft.logout;
  if (draft.protocol === 'oidc') {
    const frontchannelLogoutUri = draft.frontLogout === '' ? null : draft.frontLogout;
    return {
      settings: {
        protocol: draft.protocol,
        redirectUris: [draft.address],
        backchannelLogoutUri: logout,
        frontchannelLogoutUri,
      },
    };
  }
  return {
    settings: {
      protocol: draft.protocol,
      entityId: draft.entityId,
      acsUrls: [draft.address],
      sloUrl: logout,
      certificates: draft.certificate.trim() === '' ? [] : [draft.certificate.trim()],
      encrypt: draft.encrypt,
      attributes: attributesOf(draft.attributes),
    },
  };
}

/** The facts of a tool that the catalogue doesn't know. */
export function SsoAppFields({
  draft,
  onChange,
}: {
  readonly draft: Draft;
  readonly onChange: (draft: Draft) => void;
}) {
  const set = (change: Partial<Draft>): void => onChange({ ...draft, ...change });
  const isSaml = draft.protocol === 'saml';
  return (
    <SpaceBetween size="m">
      <SegmentedControl
        label="Protocol"
        selectedId={draft.protocol}
        options={[
          { id: 'oidc', text: 'OpenID Connect' },
          { id: 'saml', text: 'SAML 2.0' },
        ]}
        onChange={({ detail }) => set({ protocol: detail.selectedId === 'saml' ? 'saml' : 'oidc' })}
      />
      {isSaml ? (
        <FormField label="Entity id of the tool">
          <Input value={draft.entityId} onChange={({ detail }) => set({ entityId: detail.value })} />
        </FormField>
      ) : null}
      <FormField label={isSaml ? 'Assertion consumer address' : 'Redirect address'}>
        <Input value={draft.address} onChange={({ detail }) => set({ address: detail.value })} />
      </FormField>
      <FormField label={isSaml ? 'Single logout address' : 'Back-channel logout address'}>
        <Input value={draft.logout} onChange={({ detail }) => set({ logout: detail.value })} />
      </FormField>
      {isSaml ? null : (
        <FormField
          label="Front-channel logout address"
          description="Only for a tool that has no back-channel: the browser opens it when the person signs out."
        >
          <Input value={draft.frontLogout} onChange={({ detail }) => set({ frontLogout: detail.value })} />
        </FormField>
      )}
      {isSaml ? (
        <SpaceBetween size="m">
          <FormField label="Certificate of the tool" description="PEM. With one, its requests must be signed.">
            <Textarea value={draft.certificate} onChange={({ detail }) => set({ certificate: detail.value })} />
          </FormField>
          <Checkbox
            checked={draft.encrypt}
            disabled={draft.certificate.trim() === ''}
            onChange={({ detail }) => set({ encrypt: detail.checked })}
          >
            Encrypt assertions to that certificate
          </Checkbox>
          <FormField
            label="Attributes"
            description={`One a line: name = source. Sources: ${SOURCES.join(', ')}; another word is sent as it is.`}
          >
            <Textarea
              value={draft.attributes}
              rows={3}
              placeholder="mail = email"
              onChange={({ detail }) => set({ attributes: detail.value })}
            />
          </FormField>
        </SpaceBetween>
      ) : null}
    </SpaceBetween>
  );
}
