interface Step {
  /** One character that must be there, or one of a set, once or more often. */
  readonly accepts: (char: string) => boolean;
  readonly isRepeated: boolean;
}

const EXPRESSION = /\{([+#./;?&]?)([A-Za-z0-9_.%,:*]+)\}/g;
const plain = (char: string): boolean => !'/?#'.includes(char);
const STEPS_MAX = 4096;

const literal = (text: string): Step[] =>
  Array.from(text, (char) => ({ accepts: (other) => other === char, isRepeated: false }));

/** RFC 6570, section 3.2: reserved and fragment expansion keep slashes, the others don't. */
function expression(operator: string): Step[] {
  if (operator === '+') return [{ accepts: () => true, isRepeated: true }];
  if (operator === '#') return [...literal('#'), { accepts: () => true, isRepeated: true }];
  if (operator === '/') return [...literal('/'), { accepts: (char) => char !== '?' && char !== '#', isRepeated: true }];
  if (operator === '') return [{ accepts: plain, isRepeated: true }];
  return [...literal(operator), { accepts: plain, isRepeated: true }];
}

/** Undefined for what can't be read as a template. */
function compile(template: string): Step[] | undefined {
  const steps: Step[] = [];
  let at = 0;
  for (const found of [...template.matchAll(EXPRESSION), undefined]) {
    const text = template.slice(at, found?.index);
    if (/[{}]/.test(text) || steps.length + text.length > STEPS_MAX) return undefined;
    steps.push(...literal(text), ...(found ? expression(found[1] ?? '') : []));
    at = found ? found.index + found[0].length : at;
  }
  return steps;
}

/**
 * Whether a URI can come from a URI template (RFC 6570). An expression stands for one character at least. All places
 * are followed at once, so that no template takes longer than its length times the URI's.
 */
export function fitsTemplate(template: string, uri: string): boolean {
  const steps = compile(template);
  if (!steps) return false;
  let places = new Set([0]);
  for (const char of uri) {
    const next = new Set<number>();
    for (const place of places) {
      if (steps[place]?.accepts(char)) {
        next.add(place + 1);
        if (steps[place].isRepeated) next.add(place);
      }
    }
    if (next.size === 0) return false;
    places = next;
  }
  return places.has(steps.length);
}
