import { parseLessons, takeLessons } from '@cordon/estate';
import type { Clock, Database, Logger } from '@cordon/kernel';

/** Takes over what gateways learned of undescribed APIs; resolves when PostgreSQL has it. */
export function createLessonTaker(deps: { readonly db: Database; readonly clock: Clock; readonly logger: Logger }) {
  return {
    async take(key: string, body: Buffer): Promise<{ readonly taken: number; readonly refused: number }> {
      const { lines, refused } = parseLessons(body.toString('utf8'));
      if (refused > 0) deps.logger.error({ key, refused }, 'a gateway sent lines that are no lessons');
      return { taken: await takeLessons(deps, key, lines), refused };
    },
  };
}
