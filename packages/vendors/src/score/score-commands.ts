import { type Actor, appendAudit, authorize, type Database, describeActor, type SecretEnvelope } from '@cordon/kernel';
import { z } from 'zod';
import { parseInput } from '../context.ts';
import { NotFound } from '../errors.ts';
import { tellNews } from '../monitoring/news.ts';
import { listVendors, loadVendor, lockVendor } from '../register/vendor-store.ts';
import { type Contradiction, type ContradictionRule, contradict } from './contradiction.ts';
import { dismiss, listContradictions, saveContradictions, type StoredContradiction } from './contradiction-store.ts';
import type { ScoreFacts } from './facts.ts';
import { type Score, scoreOf } from './score.ts';
import { keepScore } from './score-store.ts';
import { simulate, type Simulation } from './simulate.ts';
import { type FactsContext, factsOf, gather, observationsOf, statementsOf } from './vendor-facts.ts';

const FIXES_MAX = 200;
const REASON_CHARS_MAX = 500;
/** A score that moved by this much is news. */
const NEWS_POINTS_MIN = 10;

export interface ScoreContext extends FactsContext {
  readonly db: Database;
  readonly envelope: SecretEnvelope;
  readonly publicUrl: string;
  readonly rules: readonly ContradictionRule[];
}

export interface Weighed {
  readonly score: Score;
  readonly contradictions: readonly StoredContradiction[];
  readonly at: number;
  readonly weights: string;
}

const reasonText = z.string().trim().min(3).max(REASON_CHARS_MAX);

export function createScoreCommands(context: ScoreContext) {
  const { db, clock, weights, rules, regions } = context;

  const readFacts = async (vendorId: string): Promise<ScoreFacts> => {
    const gathered = await gather(db, context, vendorId);
    return factsOf(db, context, gathered, await listContradictions(db, vendorId));
  };

  const weigh = async (vendorId: string): Promise<Weighed> => {
    const gathered = await gather(db, context, vendorId);
    const seen = await observationsOf(db, gathered, context);
    const found = contradict(statementsOf(gathered), seen, rules, regions);
    const at = clock.now();
    return db.transaction(async (tx) => {
      // One at a time: two that weigh at once would both call a finding new.
      const vendor = await lockVendor(tx, vendorId);
      const fresh = await saveContradictions(tx, vendorId, found, at);
      const contradictions = await listContradictions(tx, vendorId);
      const score = scoreOf(await factsOf(tx, context, gathered, contradictions), weights);
      const { isNew, before } = await keepScore(tx, vendorId, score, weights.digest, at);
      const news = fresh.map((one: Contradiction) => ({
        kind: 'contradiction' as const,
        severity: one.severity,
        title: `${one.title}: ${one.evidence[0]?.text ?? ''}`,
        detail: { key: one.key, questionnaire: one.said.questionnaireId, question: one.said.questionId },
      }));
      const moved = before === null ? 0 : score.residual - before.residual;
      const scoreNews =
        isNew && Math.abs(moved) >= NEWS_POINTS_MIN
          ? [
              {
                kind: 'score' as const,
                severity: moved > 0 ? ('medium' as const) : ('info' as const),
                title: `The score went from ${before?.residual} to ${score.residual}.`,
                detail: { from: before?.residual ?? null, to: score.residual },
              },
            ]
          : [];
      await tellNews(tx, context, vendor, [...news, ...scoreNews], at);
      return { score, contradictions, at, weights: weights.digest };
    });
  };

  return {
    /** Weighs a vendor by what is known now, and keeps the score when it changed. */
    async read(actor: Actor, vendorId: string): Promise<Weighed> {
      authorize(actor, 'vendor.read');
      return weigh(vendorId);
    },

    /** What the score would be if these rows were mended; keeps nothing. */
    async simulate(actor: Actor, vendorId: string, keys: readonly string[]): Promise<Simulation> {
      authorize(actor, 'vendor.read');
      return simulate(
        await readFacts(vendorId),
        weights,
        parseInput(z.array(z.string().max(300)).max(FIXES_MAX), keys),
      );
    },

    /** A person looked at a contradiction and says why it is none; null takes that back. */
    async dismiss(actor: Actor, vendorId: string, id: string, reason: string | null): Promise<Weighed> {
      authorize(actor, 'vendor.write');
      const at = clock.now();
      const why = reason === null ? null : parseInput(reasonText, reason);
      await db.transaction(async (tx) => {
        const vendor = await loadVendor(tx, vendorId);
        const decision = why === null ? null : { reason: why, by: describeActor(actor).name, at };
        if (!(await dismiss(tx, vendorId, id, decision))) throw new NotFound('There is no such contradiction.');
        const action = why === null ? 'vendor.contradiction_restored' : 'vendor.contradiction_dismissed';
        const target = { type: 'vendor', id: vendorId, name: vendor.name };
        await appendAudit(tx, { actor, action, target, detail: { contradiction: id, reason: why }, at });
      });
      return weigh(vendorId);
    },

    /** Weighs all that are not gone; for the worker. One that fails stops none of the others. */
    async weighAll(onFailure: (vendorId: string, error: unknown) => void): Promise<number> {
      let count = 0;
      for (const { id, stage } of await listVendors(db)) {
        if (stage === 'ended') continue;
        try {
          await weigh(id);
          count += 1;
        } catch (error) {
          onFailure(id, error);
        }
      }
      return count;
    },
  };
}
export type ScoreCommands = ReturnType<typeof createScoreCommands>;
