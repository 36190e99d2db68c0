import { signElement } from '../sso/saml-xml.ts';
import { makePair, type Pair } from './test-pair.ts';

/** A SAML provider in software whose answers can be spoiled in any way. */
export interface TestIdp {
  readonly entityId: string;
  readonly pair: Pair;
  /** An answer, signed as a provider would, unless told otherwise. */
  respond(input: ResponseInput): string;
}

export interface ResponseInput {
  readonly acsUrl: string;
  readonly audience: string;
  readonly inResponseTo: string | null;
  readonly email?: string;
  readonly nameId?: string;
  readonly nameIdFormat?: string;
  readonly groups?: readonly string[];
  readonly contextClass?: string;
  readonly issuer?: string;
  readonly destination?: string;
  readonly recipient?: string;
  readonly subjectReply?: string | null;
  readonly now?: number;
  readonly assertionId?: string;
  readonly responseId?: string;
  readonly status?: string;
  readonly sign?: 'assertion' | 'response' | 'both' | 'none';
  readonly sessionIndex?: string;
  readonly signWith?: Pair;
  /** Changes the assertion before it is signed. */
  readonly change?: (assertion: string) => string;
}

const PERSISTENT = 'urn:oasis:names:tc:SAML:2.0:nameid-format:persistent';
let count = 0;

export function assertionOf(idp: Pick<TestIdp, 'entityId'>, input: ResponseInput, id: string): string {
  const now = input.now ?? Date.now();
  const iso = (shift: number): string => new Date(now + shift).toISOString();
  const reply = input.subjectReply === undefined ? input.inResponseTo : input.subjectReply;
  const attribute = (name: string, values: readonly string[]): string =>
    `<saml:Attribute Name="${name}">${values.map((one) => `<saml:AttributeValue>${one}</saml:AttributeValue>`).join('')}</saml:Attribute>`;
  return [
    `<saml:Assertion xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion" ID="${id}" Version="2.0" IssueInstant="${iso(0)}">`,
    `<saml:Issuer>${input.issuer ?? idp.entityId}</saml:Issuer>`,
    `<saml:Subject><saml:NameID Format="${input.nameIdFormat ?? PERSISTENT}">${input.nameId ?? 'subject-1'}</saml:NameID>`,
    `<saml:SubjectConfirmation Method="urn:oasis:names:tc:SAML:2.0:cm:bearer"><saml:SubjectConfirmationData NotOnOrAfter="${iso(300_000)}" Recipient="${input.recipient ?? input.acsUrl}"${reply === null ? '' : ` InResponseTo="${reply}"`}/></saml:SubjectConfirmation></saml:Subject>`,
    `<saml:Conditions NotBefore="${iso(-30_000)}" NotOnOrAfter="${iso(300_000)}"><saml:AudienceRestriction><saml:Audience>${input.audience}</saml:Audience></saml:AudienceRestriction></saml:Conditions>`,
    `<saml:AuthnStatement AuthnInstant="${iso(0)}" SessionIndex="${input.sessionIndex ?? 'index-1'}"><saml:AuthnContext><saml:AuthnContextClassRef>${input.contextClass ?? 'urn:oasis:names:tc:SAML:2.0:ac:classes:Password'}</saml:AuthnContextClassRef></saml:AuthnContext></saml:AuthnStatement>`,
    `<saml:AttributeStatement>${attribute('mail', [input.email ?? 'bo@corp.example'])}${attribute('displayName', ['Bo Diddley'])}${attribute('groups', input.groups ?? [])}</saml:AttributeStatement>`,
    `</saml:Assertion>`,
  ].join('');
}

export function responseOf(
  idp: Pick<TestIdp, 'entityId'>,
  input: ResponseInput,
  id: string,
  assertion: string,
): string {
  const instant = new Date(input.now ?? Date.now()).toISOString();
  const status = input.status ?? 'urn:oasis:names:tc:SAML:2.0:status:Success';
  const reply = input.inResponseTo === null ? '' : ` InResponseTo="${input.inResponseTo}"`;
  return `<samlp:Response xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol" xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion" ID="${id}" Version="2.0" IssueInstant="${instant}" Destination="${input.destination ?? input.acsUrl}"${reply}><saml:Issuer>${input.issuer ?? idp.entityId}</saml:Issuer><samlp:Status><samlp:StatusCode Value="${status}"/></samlp:Status>${assertion}</samlp:Response>`;
}

export async function createTestIdp(): Promise<TestIdp> {
  const pair = await makePair();
  const idp = { entityId: 'https://idp.corp.example/metadata', pair };
  return {
    ...idp,
    respond(input) {
      count += 1;
      const assertionId = input.assertionId ?? `_assertion${count}`;
      const id = input.responseId ?? `_response${count}`;
      const signer = input.signWith ?? pair;
      const sign = input.sign ?? 'assertion';
      let assertion = assertionOf(idp, input, assertionId);
      if (input.change) assertion = input.change(assertion);
      if (sign === 'assertion' || sign === 'both')
        assertion = signElement(assertion, { name: 'Assertion', id: assertionId }, signer);
      const response = responseOf(idp, input, id, assertion);
      return sign === 'response' || sign === 'both'
        ? signElement(response, { name: 'Response', id }, signer)
        : response;
    },
  };
}

export function encoded(xml: string): string {
  return Buffer.from(xml, 'utf8').toString('base64');
}
