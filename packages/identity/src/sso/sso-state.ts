import { type IdentityContext, tablesOf } from '../context.ts';
import { hashSecret, mintSecret } from '../token-secret.ts';

const STATE_MS_MAX = 30 * 60_000;

/** What a browser carries from one step to the next: it gets a random value, the content stays here, sealed. */
export interface SsoStates {
  save(kind: string, content: object): Promise<string>;
  /** Null: unknown, over or of another kind. */
  read(kind: string, value: string): Promise<unknown>;
  /** As `read`, and once only: of two at once one gets null. */
  take(kind: string, value: string): Promise<unknown>;
}

export function createSsoStates(context: IdentityContext): SsoStates {
  const { db, clock, envelope } = context;
  const open = (sealed: string, hash: Buffer): unknown =>
    JSON.parse(envelope.open(sealed, `identity.sso-state:${hash.toString('hex')}`).toString('utf8'));
  return {
    async save(kind, content) {
      const { value, hash } = mintSecret(context.random, '');
      const sealed = envelope.seal(JSON.stringify(content), `identity.sso-state:${hash.toString('hex')}`);
      const expires_at = new Date(clock.now() + STATE_MS_MAX);
      await tablesOf(db).insertInto('sso_states').values({ hash, kind, sealed, expires_at }).execute();
      return value;
    },
    async read(kind, value) {
      const hash = hashSecret(value);
      const row = await tablesOf(db)
        .selectFrom('sso_states')
        .select('sealed')
        .where('hash', '=', hash)
        .where('kind', '=', kind)
        .where('expires_at', '>', new Date(clock.now()))
        .executeTakeFirst();
      return row ? open(row.sealed, hash) : null;
    },
    async take(kind, value) {
      const hash = hashSecret(value);
      const row = await tablesOf(db)
        .deleteFrom('sso_states')
        .where('hash', '=', hash)
        .where('kind', '=', kind)
        .where('expires_at', '>', new Date(clock.now()))
        .returning('sealed')
        .executeTakeFirst();
      return row ? open(row.sealed, hash) : null;
    },
  };
}
