/** What makes a transfer to a third country lawful (Articles 45, 46 and 49 GDPR), with its term in DPV's `eu-gdpr`. */
export const TRANSFER_INSTRUMENTS = [
  'adequacy decision',
  'public instrument',
  'binding corporate rules',
  'standard contractual clauses',
  'clauses of an authority',
  'code of conduct',
  'certification',
  'authorised clauses',
  'administrative arrangement',
  'derogation: explicit consent',
  'derogation: contract with the person',
  'derogation: contract for the person',
  'derogation: public interest',
  'derogation: legal claims',
  'derogation: vital interests',
  'derogation: public register',
] as const;
export type TransferInstrument = (typeof TRANSFER_INSTRUMENTS)[number];

const ARTICLES: Readonly<Record<TransferInstrument, string>> = {
  'adequacy decision': '45-3',
  'public instrument': '46-2-a',
  'binding corporate rules': '46-2-b',
  'standard contractual clauses': '46-2-c',
  'clauses of an authority': '46-2-d',
  'code of conduct': '46-2-e',
  certification: '46-2-f',
  'authorised clauses': '46-3-a',
  'administrative arrangement': '46-3-b',
  'derogation: explicit consent': '49-1-a',
  'derogation: contract with the person': '49-1-b',
  'derogation: contract for the person': '49-1-c',
  'derogation: public interest': '49-1-d',
  'derogation: legal claims': '49-1-e',
  'derogation: vital interests': '49-1-f',
  'derogation: public register': '49-1-g',
};

/** `A46-2-c`. */
export const dpvTermOf = (instrument: TransferInstrument): string => `A${ARTICLES[instrument]}`;

/** `Art. 46(2)(c)`. */
export function articleOf(instrument: TransferInstrument): string {
  const [article = '', ...parts] = ARTICLES[instrument].split('-');
  return `Art. ${article}${parts.map((part) => `(${part})`).join('')}`;
}

/** Safeguards of Article 46 need a look at the law and practice of the country (C-311/18). */
export const needsAssessment = (instrument: TransferInstrument): boolean => ARTICLES[instrument].startsWith('46');

export const isInstrument = (value: unknown): value is TransferInstrument =>
  TRANSFER_INSTRUMENTS.some((instrument) => instrument === value);
