import { type IdentityContext, tablesOf } from '../context.ts';
import { hashSecret } from '../token-secret.ts';
import { isSaml, NAME_ID_FORMATS, type SamlSettings, type SsoApp, type Strength } from './sso-app.ts';
import { findAppByEntity } from './sso-app-store.ts';
import { decodeRedirect, strengthOfContext } from './saml-message.ts';
import {
  children,
  isElement,
  NS,
  onlyChild,
  parseXml,
  refuse,
  textOf,
  verifyEnveloped,
  verifyRedirect,
} from './saml-xml.ts';
import type { XmlElement } from './xml-libraries.ts';
import { rememberOnce } from './sso-login-store.ts';

/** How old or far ahead a message may be dated. */
const AGE_MS_MAX = 5 * 60_000;
const POST_BINDING = 'urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST';

/** A message as it came: by redirect (deflated, signature in the query) or by POST (signature inside). */
export type Incoming =
  | {
      readonly binding: 'redirect';
      readonly query: string;
      readonly message: string;
      readonly relayState: string | null;
    }
  | { readonly binding: 'post'; readonly message: string; readonly relayState: string | null };

export interface SignOnRequest {
  readonly app: SsoApp<SamlSettings>;
  readonly id: string;
  readonly acsUrl: string;
  readonly relayState: string | null;
  readonly fresh: boolean;
  readonly passive: boolean;
  readonly strength: Strength | 'unknown';
  /** Null: the app's own format. */
  readonly nameId: SamlSettings['nameId'] | 'unknown' | null;
}

export interface LogoutRequest {
  readonly app: SsoApp<SamlSettings>;
  readonly id: string;
  readonly nameId: string;
  readonly sessionIndexes: readonly string[];
  readonly relayState: string | null;
}

interface Opened {
  readonly app: SsoApp<SamlSettings>;
  readonly root: XmlElement;
  readonly id: string;
}

/** What is true of every request: known and active sender, signature, version, time, destination, and seen once. */
async function openRequest(
  context: IdentityContext,
  incoming: Incoming,
  kind: {
    readonly name: 'AuthnRequest' | 'LogoutRequest';
    readonly destination: string;
    readonly signed: 'always' | 'with-certificate';
  },
): Promise<Opened> {
  const text =
    incoming.binding === 'redirect'
      ? await decodeRedirect(incoming.message)
      : Buffer.from(incoming.message, 'base64').toString('utf8');
  const outer = parseXml(text);
  if (!isElement(outer, NS.protocol, kind.name)) return refuse(`The message is no ${kind.name}.`);
  const issuer = textOf(onlyChild(outer, NS.assertion, 'Issuer'));
  const app = await findAppByEntity(tablesOf(context.db), issuer);
  if (!app || !isSaml(app) || app.status !== 'active') return refuse('No app is registered under this Issuer.');
  const { certificates } = app.settings;
  let root = outer;
  if (certificates.length > 0) {
    if (incoming.binding === 'redirect') verifyRedirect(incoming.query, 'SAMLRequest', certificates);
    else root = verifyEnveloped(text, outer, certificates);
  } else if (kind.signed === 'always') {
    return refuse('This message must be signed, and the app has no certificate registered.');
  }
  if (textOf(onlyChild(root, NS.assertion, 'Issuer')) !== issuer) return refuse('The signature covers something else.');
  if (root.getAttribute('Version') !== '2.0') return refuse('The message is not of SAML 2.0.');
  const destination = root.getAttribute('Destination');
  if (destination ? destination !== kind.destination : certificates.length > 0) {
    return refuse('The message is meant for another destination.');
  }
  const now = context.clock.now();
  const issued = Date.parse(root.getAttribute('IssueInstant') ?? '');
  if (!(Math.abs(now - issued) <= AGE_MS_MAX)) return refuse('The message is too old or dated ahead.');
  const id = root.getAttribute('ID') ?? '';
  if (!/^[A-Za-z_][\w.-]{3,199}$/.test(id)) return refuse('The message has no usable ID.');
  const seen = hashSecret(JSON.stringify([app.id, id]));
  if (!(await rememberOnce(tablesOf(context.db), 'saml-request', seen, now + 2 * AGE_MS_MAX))) {
    return refuse('The message was used before.');
  }
  return { app, root, id };
}

function acsOf(app: SsoApp<SamlSettings>, root: XmlElement): string {
  const { acsUrls } = app.settings;
  const binding = root.getAttribute('ProtocolBinding');
  if (binding && binding !== POST_BINDING) return refuse('Only the POST binding carries assertions.');
  const asked = root.getAttribute('AssertionConsumerServiceURL');
  const index = root.getAttribute('AssertionConsumerServiceIndex');
  const url = asked ? acsUrls.find((one) => one === asked) : acsUrls[index ? Number(index) : 0];
  return url ?? refuse('The address for the assertion is not registered for this app.');
}

function nameIdAsked(root: XmlElement): SignOnRequest['nameId'] {
  const format = onlyChild(root, NS.protocol, 'NameIDPolicy')?.getAttribute('Format');
  if (!format || format === NAME_ID_FORMATS.unspecified) return null;
  const found = Object.entries(NAME_ID_FORMATS).find(([, one]) => one === format)?.[0];
  return (found as SamlSettings['nameId'] | undefined) ?? 'unknown'; // the table's keys
}

function strengthAsked(root: XmlElement): SignOnRequest['strength'] {
  const wanted = onlyChild(root, NS.protocol, 'RequestedAuthnContext');
  if (!wanted) return 'any';
  const known = children(wanted, NS.assertion, 'AuthnContextClassRef').flatMap(
    (one) => strengthOfContext(textOf(one)) ?? [],
  );
  const order = ['any', 'mfa', 'passkey'] as const;
  return order.find((one) => known.includes(one)) ?? 'unknown';
}

/** SAML Profiles, section 4.1.4.1. */
export async function readSignOnRequest(
  context: IdentityContext,
  incoming: Incoming,
  destination: string,
): Promise<SignOnRequest> {
  const signed = 'with-certificate' as const;
  const { app, root, id } = await openRequest(context, incoming, { name: 'AuthnRequest', destination, signed });
  const isTrue = (name: string): boolean => ['true', '1'].includes(root.getAttribute(name) ?? '');
  return {
    app,
    id,
    acsUrl: acsOf(app, root),
    relayState: incoming.relayState,
    fresh: isTrue('ForceAuthn'),
    passive: isTrue('IsPassive'),
    strength: strengthAsked(root),
    nameId: nameIdAsked(root),
  };
}

/** SAML Profiles, section 4.4.3.1. Always signed: else any page could sign people out. */
export async function readLogoutRequest(
  context: IdentityContext,
  incoming: Incoming,
  destination: string,
): Promise<LogoutRequest> {
  const signed = 'always' as const;
  const { app, root, id } = await openRequest(context, incoming, { name: 'LogoutRequest', destination, signed });
  return {
    app,
    id,
    nameId: textOf(onlyChild(root, NS.assertion, 'NameID')),
    sessionIndexes: children(root, NS.protocol, 'SessionIndex').map((one) => textOf(one)),
    relayState: incoming.relayState,
  };
}
