import { z } from 'zod';

/**
 * OSCAL assessment results as NIST's reference for model 1.1.3 describes them, written down here: members, which of
 * them are required, datatypes, and that lists are never empty. Every object is closed, as in NIST's own schema; members
 * that neither export uses are left out, so a new one must be added here with its place in the reference.
 */

/** `string` and `token` (OSCAL datatypes). */
const text = z.string().regex(/^\S(?:.*\S)?$/);
const token = z.string().regex(/^(?:\p{L}|_)(?:\p{L}|\p{N}|[.\-_])*$/u);
/** Versions 4 and 5 only. */
const uuid = z
  .string()
  .regex(/^[0-9A-Fa-f]{8}-[0-9A-Fa-f]{4}-[45][0-9A-Fa-f]{3}-[89ABab][0-9A-Fa-f]{3}-[0-9A-Fa-f]{12}$/);
const dateTime = z.iso.datetime({ offset: true });
const uri = z.string().regex(/^[a-zA-Z][a-zA-Z0-9+\-.]+:.+$/);
const reference = z.string().regex(/\S/);
const list = <Item extends z.ZodType>(item: Item) => z.array(item).min(1);

const props = list(
  z.strictObject({
    name: token,
    ns: uri.optional(),
    value: text,
    uuid: uuid.optional(),
    class: token.optional(),
    remarks: z.string().optional(),
  }),
);
const links = list(z.strictObject({ href: reference, rel: token.optional(), text: z.string().optional() }));
const described = {
  description: z.string(),
  props: props.optional(),
  links: links.optional(),
  remarks: z.string().optional(),
};

const metadata = z.strictObject({
  title: z.string(),
  published: dateTime.optional(),
  'last-modified': dateTime,
  version: text,
  'oscal-version': text,
  props: props.optional(),
  links: links.optional(),
  remarks: z.string().optional(),
});

const component = z.strictObject({
  ...described,
  uuid,
  type: text,
  title: z.string(),
  purpose: z.string().optional(),
  status: z.strictObject({ state: z.enum(['under-development', 'operational', 'disposition', 'other']) }),
});

const subject = z.strictObject({
  'subject-uuid': uuid,
  type: token,
  title: z.string().optional(),
  props: props.optional(),
});

const observation = z.strictObject({
  ...described,
  uuid,
  title: z.string().optional(),
  methods: list(text),
  types: list(token).optional(),
  subjects: list(subject).optional(),
  'relevant-evidence': list(z.strictObject({ ...described, href: reference.optional() })).optional(),
  collected: dateTime,
  expires: dateTime.optional(),
});

const risk = z.strictObject({
  ...described,
  uuid,
  title: z.string(),
  statement: z.string(),
  status: token,
  deadline: dateTime.optional(),
  remediations: list(z.strictObject({ ...described, uuid, lifecycle: token, title: z.string() })).optional(),
  'related-observations': list(z.strictObject({ 'observation-uuid': uuid })).optional(),
});

const finding = z.strictObject({
  ...described,
  uuid,
  title: z.string(),
  target: z.strictObject({
    type: z.enum(['statement-id', 'objective-id']),
    'target-id': token,
    title: z.string().optional(),
    status: z.strictObject({
      state: z.enum(['satisfied', 'not-satisfied']),
      reason: token.optional(),
      remarks: z.string().optional(),
    }),
  }),
  'related-observations': list(z.strictObject({ 'observation-uuid': uuid })).optional(),
  'related-risks': list(z.strictObject({ 'risk-uuid': uuid })).optional(),
});

const selection = z.strictObject({
  description: z.string().optional(),
  'include-all': z.strictObject({}).optional(),
  'include-controls': list(z.strictObject({ 'control-id': token })).optional(),
});

const result = z.strictObject({
  ...described,
  uuid,
  title: z.string(),
  start: dateTime,
  end: dateTime.optional(),
  'local-definitions': z.strictObject({ components: list(component).optional() }).optional(),
  'reviewed-controls': z.strictObject({ 'control-selections': list(selection) }),
  observations: list(observation).optional(),
  risks: list(risk).optional(),
  findings: list(finding).optional(),
});

export const assessmentResults = z.strictObject({
  'assessment-results': z.strictObject({
    uuid,
    metadata,
    'import-ap': z.strictObject({ href: reference, remarks: z.string().optional() }),
    results: list(result),
  }),
});
