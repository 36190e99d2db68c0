import { IdentityError } from '../errors.ts';

/** `scimType` of RFC 7644, section 3.12, and of RFC 9865, section 2.1. */
export type ScimType =
  | 'invalidFilter'
  | 'tooMany'
  | 'uniqueness'
  | 'mutability'
  | 'invalidSyntax'
  | 'invalidPath'
  | 'noTarget'
  | 'invalidValue'
  | 'invalidCursor'
  | 'invalidCount';

export const ERROR_SCHEMA = 'urn:ietf:params:scim:api:messages:2.0:Error';

/** A refusal in SCIM's own form. */
export class ScimRefused extends IdentityError {
  readonly code = 'identity.scim_refused';
  readonly status: number;
  readonly scimType: ScimType | undefined;

  constructor(status: number, detail: string, scimType?: ScimType) {
    super(detail, { status, ...(scimType === undefined ? {} : { scimType }) });
    this.status = status;
    this.scimType = scimType;
  }

  /** The body of the answer. RFC 7644 wants the status as text. */
  toBody(): Record<string, unknown> {
    return {
      schemas: [ERROR_SCHEMA],
      status: String(this.status),
      ...(this.scimType === undefined ? {} : { scimType: this.scimType }),
      detail: this.message,
    };
  }
}

export function notFound(kind: string): ScimRefused {
  return new ScimRefused(404, `There is no such ${kind}.`);
}
