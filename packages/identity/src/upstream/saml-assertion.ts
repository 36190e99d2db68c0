import { children, NS, onlyChild, textOf } from '../sso/saml-xml.ts';
import type { XmlElement } from '../sso/xml-libraries.ts';
import { refuseUpstream } from './refusal.ts';

/** How far the clocks may differ. */
export const SKEW_MS = 2 * 60_000;
const BEARER = 'urn:oasis:names:tc:SAML:2.0:cm:bearer';
const VALUES_MAX = 1_000;

export interface ExpectedAssertion {
  readonly entityId: string;
  readonly audience: string;
  readonly recipient: string;
  /** The request that is answered; null: none, which must have been allowed. */
  readonly inResponseTo: string | null;
  readonly now: number;
}

export interface ReadAssertion {
  readonly id: string;
  readonly nameId: { readonly value: string; readonly format: string } | null;
  readonly sessionIndex: string | null;
  readonly contextClasses: readonly string[];
  readonly authAt: number;
  readonly sessionEndsAt: number | null;
  /** Until then it could be shown again. */
  readonly validUntil: number;
  readonly attributes: ReadonlyMap<string, readonly string[]>;
}

function timeOf(element: XmlElement, name: string): number | null {
  const value = element.getAttribute(name);
  if (!value) return null;
  const at = Date.parse(value);
  return Number.isNaN(at) || !/Z$|[+-]\d\d:\d\d$/.test(value) ? refuseUpstream('saml.time', `${name} is no time.`) : at;
}

function checkWindow(element: XmlElement, now: number): number | null {
  const from = timeOf(element, 'NotBefore');
  const until = timeOf(element, 'NotOnOrAfter');
  const name = element.localName;
  if (from !== null && now + SKEW_MS < from)
    refuseUpstream('saml.time', `${name} is not valid before ${new Date(from).toISOString()}.`);
  if (until !== null && now - SKEW_MS >= until)
    refuseUpstream('saml.time', `${name} was valid until ${new Date(until).toISOString()}.`);
  return until;
}

/** The rules of the web browser profile on an assertion whose signature was checked (SAML Profiles, section 4.1.4.3). */
export function readAssertion(assertion: XmlElement, expected: ExpectedAssertion): ReadAssertion {
  const { now } = expected;
  if (assertion.getAttribute('Version') !== '2.0') refuseUpstream('saml.form', 'The assertion is not of SAML 2.0.');
  const issuer = textOf(onlyChild(assertion, NS.assertion, 'Issuer'));
  if (issuer !== expected.entityId) refuseUpstream('saml.issuer', `The assertion’s Issuer is ${issuer || 'missing'}.`);
  const subject = onlyChild(assertion, NS.assertion, 'Subject') ?? refuseUpstream('saml.name', 'There is no Subject.');
  const confirmedUntil = checkConfirmations(subject, expected);
  const conditions =
    onlyChild(assertion, NS.assertion, 'Conditions') ?? refuseUpstream('saml.audience', 'There are no Conditions.');
  const conditionsUntil = checkWindow(conditions, now);
  checkAudience(conditions, expected.audience);
  const statement =
    children(assertion, NS.assertion, 'AuthnStatement')[0] ??
    refuseUpstream('saml.form', 'There is no AuthnStatement.');
  const sessionEndsAt = timeOf(statement, 'SessionNotOnOrAfter');
  if (sessionEndsAt !== null && now - SKEW_MS >= sessionEndsAt)
    refuseUpstream('saml.time', 'The session at the provider is over.');
  const context = onlyChild(statement, NS.assertion, 'AuthnContext');
  const nameId = onlyChild(subject, NS.assertion, 'NameID');
  return {
    id: assertion.getAttribute('ID') || refuseUpstream('saml.form', 'The assertion has no ID.'),
    nameId: nameId ? { value: textOf(nameId), format: nameId.getAttribute('Format') ?? '' } : null,
    sessionIndex: statement.getAttribute('SessionIndex') || null,
    contextClasses: context ? children(context, NS.assertion, 'AuthnContextClassRef').map((one) => textOf(one)) : [],
    authAt: Math.min(timeOf(statement, 'AuthnInstant') ?? now, now),
    sessionEndsAt,
    validUntil: Math.max(confirmedUntil, conditionsUntil ?? 0) + SKEW_MS,
    attributes: readAttributes(assertion),
  };
}

/** One bearer confirmation must hold in full; what is wrong with the last one is told. */
function checkConfirmations(subject: XmlElement, expected: ExpectedAssertion): number {
  const bearers = children(subject, NS.assertion, 'SubjectConfirmation').filter(
    (one) => one.getAttribute('Method') === BEARER,
  );
  if (bearers.length !== 1)
    return refuseUpstream('saml.recipient', `There are ${bearers.length} bearer confirmations.`);
  const data = onlyChild(bearers[0]!, NS.assertion, 'SubjectConfirmationData');
  if (!data) return refuseUpstream('saml.recipient', 'The confirmation has no data.');
  const recipient = data.getAttribute('Recipient');
  if (recipient !== expected.recipient)
    return refuseUpstream('saml.recipient', `Recipient is ${recipient || 'missing'}.`);
  if (data.getAttribute('NotBefore')) return refuseUpstream('saml.form', 'A bearer confirmation has no NotBefore.');
  const until = checkWindow(data, expected.now);
  if (until === null) return refuseUpstream('saml.time', 'The confirmation has no end.');
  const reply = data.getAttribute('InResponseTo') || null;
  if (reply !== expected.inResponseTo)
    return refuseUpstream('saml.in_response_to', 'The confirmation answers another request.');
  return until;
}

function checkAudience(conditions: XmlElement, audience: string): void {
  const restrictions = children(conditions, NS.assertion, 'AudienceRestriction');
  if (restrictions.length === 0) refuseUpstream('saml.audience', 'There is no AudienceRestriction.');
  // Each restriction must hold (SAML Core, section 2.5.1.4).
  for (const restriction of restrictions) {
    const audiences = children(restriction, NS.assertion, 'Audience').map((one) => textOf(one));
    if (!audiences.includes(audience))
      refuseUpstream('saml.audience', `Audience is ${audiences.join(', ') || 'missing'}.`);
  }
}

function readAttributes(assertion: XmlElement): Map<string, string[]> {
  const found = new Map<string, string[]>();
  for (const statement of children(assertion, NS.assertion, 'AttributeStatement')) {
    for (const attribute of children(statement, NS.assertion, 'Attribute')) {
      const values = children(attribute, NS.assertion, 'AttributeValue').map((one) => (one.textContent ?? '').trim());
      for (const name of new Set([attribute.getAttribute('Name'), attribute.getAttribute('FriendlyName')])) {
        if (name) found.set(name, [...(found.get(name) ?? []), ...values].slice(0, VALUES_MAX));
      }
    }
  }
  return found;
}
