import type { CountryCode } from 'libphonenumber-js/max';
import { compileDetectors, type Compiled, extendCompiled } from './compile.ts';
import { customDetector, CustomScan, type CustomRule } from './custom.ts';
import type { Detector } from './detector.ts';
import { loadDetectors } from './detector-load.ts';
import { TypeUnknown } from './errors.ts';
import type { Finding } from './finding.ts';
import { KeyCache } from './keys.ts';
import { createPhoneJudge, PHONE_REGIONS, type PhoneJudge } from './phone.ts';
import { DocumentScan } from './document-scan.ts';

/** Inline rules act on findings from here on; what is below is a guess that only an inventory wants. */
export const CONFIDENCE_INLINE_MIN = 0.5;

export interface ClassifierOptions {
  /** Types, classes (`payment.card`) or class prefixes (`credential.*`) to look for; all when absent. */
  readonly types?: readonly string[];
  /** Detectors to use; the ones under content/detectors when absent. */
  readonly detectors?: readonly Detector[];
  /** Findings below this are dropped; 0.5 when absent. */
  readonly minConfidence?: number;
  /** Also try values that stand alone against every form, and report every reading of the same span. */
  readonly exhaustive?: boolean;
  /** The organisation's own dictionaries, expressions and lists. */
  readonly custom?: readonly CustomRule[];
  /** Whether payment providers' published test cards are reported (the default) or passed over. */
  readonly testCards?: 'report' | 'ignore';
  /** Regions whose national phone numbers are recognised, most likely first. */
  readonly phoneRegions?: readonly CountryCode[];
}

export interface ScanOptions {
  /** Media type of the content; sniffed when absent. */
  readonly contentType?: string;
  /** Name of the field that the content is the value of. */
  readonly key?: string;
}

/** A scan that is fed in pieces. Offsets count from the first byte of the first chunk. */
export interface ScanStream {
  /** Takes the next bytes; returns findings that can no longer change, in order. The chunk may be reused after. */
  push(chunk: Uint8Array): Finding[];
  /** No more bytes follow; returns the remaining findings. */
  end(): Finding[];
  /** No later finding begins before this offset: bytes up to here may be released. */
  readonly settledThrough: number;
}

export interface Classifier {
  /** Finds sensitive data in bytes. Never throws on content, whatever it is. */
  scan(bytes: Uint8Array, options?: ScanOptions): Finding[];
  /** The same over chunks, with bounded memory. */
  open(options?: ScanOptions): ScanStream;
  /** Detectors in use, an organisation's own at the end. */
  readonly detectors: readonly Detector[];
  /** The same detectors with other rules of the organisation's own. Throws `CustomInvalid`. */
  withRules(rules: readonly CustomRule[]): Classifier;
}

/** What a scan needs that scans share. */
export interface ScanTools {
  readonly compiled: Compiled;
  readonly custom: CustomScan | undefined;
  readonly keys: KeyCache;
  readonly phone: PhoneJudge;
  readonly minConfidence: number;
  readonly exhaustive: boolean;
  readonly testCards: 'report' | 'ignore';
}

function selectDetectors(detectors: readonly Detector[], types: readonly string[] | undefined): readonly Detector[] {
  if (types === undefined) return detectors;
  const wanted = (detector: Detector, name: string): boolean =>
    detector.type === name ||
    detector.class === name ||
    (name.endsWith('.*') && detector.class.startsWith(name.slice(0, -1)));
  for (const name of types) {
    if (!detectors.some((detector) => wanted(detector, name))) {
      throw new TypeUnknown(`no detector finds ${name}`, { type: name });
    }
  }
  return detectors.filter((detector) => types.some((name) => wanted(detector, name)));
}

/**
 * Creates a classifier. Reads the detectors' folder once when none are given; scanning does no I/O. Throws
 * `TypeUnknown` for a type that no detector has.
 */
export function createClassifier(options: ClassifierOptions = {}): Classifier {
  const detectors = selectDetectors(options.detectors ?? loadDetectors(), options.types);
  const compiled = compileDetectors(detectors);
  const shipped: ScanTools = {
    compiled,
    custom: undefined,
    keys: new KeyCache(compiled.keyRules),
    phone: createPhoneJudge(options.phoneRegions ?? PHONE_REGIONS),
    minConfidence: options.minConfidence ?? CONFIDENCE_INLINE_MIN,
    exhaustive: options.exhaustive ?? false,
    testCards: options.testCards ?? 'report',
  };
  return withRules(shipped, detectors, options.custom ?? []);
}

function withRules(shipped: ScanTools, detectors: readonly Detector[], rules: readonly CustomRule[]): Classifier {
  const own = rules.map((rule) => customDetector(rule));
  const tools: ScanTools =
    rules.length === 0
      ? shipped
      : {
          ...shipped,
          compiled: extendCompiled(shipped.compiled, own),
          custom: new CustomScan(rules, detectors.length),
        };
  return {
    detectors: rules.length === 0 ? detectors : [...detectors, ...own],
    scan(bytes, scanOptions = {}) {
      return new DocumentScan(tools, scanOptions).scanWhole(bytes);
    },
    open(scanOptions = {}) {
      return new DocumentScan(tools, scanOptions);
    },
    withRules: (others) => withRules(shipped, detectors, others),
  };
}
