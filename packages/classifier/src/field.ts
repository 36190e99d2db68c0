import type { Detector, Label } from './detector.ts';
import { KeyRules, type KeyHint } from './keys.ts';

/** What the name of a field alone says about the data in it. */
export interface FieldFinding {
  /** Type, or undefined where only the category is known. */
  readonly type?: string;
  readonly class?: string;
  /** fideslang category; `system.operations` where the name speaks of no person. */
  readonly category: string;
  readonly label: Label;
}

export interface FieldClassifier {
  /** `name` may be a path (`billing_details.address.line1`); `parent` is the name of the object it is in. */
  classify(name: string, parent?: string): FieldFinding;
}

const OPERATIONS: FieldFinding = { category: 'system.operations', label: 'internal' };

/** Names fields by the same rules that give values their context. */
export function createFieldClassifier(detectors: readonly Detector[]): FieldClassifier {
  const rules = new KeyRules(detectors);
  return {
    classify(name, parent) {
      const parts = [...(parent === undefined ? [] : parent.split('.')), ...name.split('.')].filter(
        (part) => part !== '',
      );
      let hint: KeyHint | undefined;
      for (const part of parts) hint = rules.hint(part, hint);
      if (hint === undefined) return OPERATIONS;
      const index = hint.byKey[0] ?? [...hint.context][0];
      const detector = index === undefined ? undefined : detectors[index];
      if (detector === undefined) return OPERATIONS;
      return { type: detector.type, class: detector.class, category: detector.category, label: detector.label };
    },
  };
}
