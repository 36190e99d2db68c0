import type { DATA_LABELS, Severity } from './weights.ts';

/** What the estate, the lake and the connectors saw of a vendor's apps. */
export interface Observed {
  readonly data: readonly {
    readonly app: string;
    readonly appId: string;
    readonly dataClass: string;
    readonly label: (typeof DATA_LABELS)[number];
    /** Values seen in 90 days. */
    readonly values: number;
  }[];
  readonly grants: readonly {
    readonly id: string;
    readonly integrationId: string;
    readonly integration: string;
    readonly app: string;
    readonly reach: 'all' | 'write' | 'read';
  }[];
  /** Calls of 90 days. */
  readonly calls: number;
  /** Credentials that neither end nor are renewed. */
  readonly staticKeys: readonly {
    readonly id: string;
    readonly appId: string;
    readonly app: string;
    readonly kind: string;
    readonly createdAt: number;
  }[];
  /** Checks of the tools' settings that fail and that nobody answers for. */
  readonly posture: readonly {
    readonly connectionId: string;
    readonly connection: string;
    readonly check: string;
    readonly title: string;
    readonly severity: Severity;
  }[];
}

export type Observe = (appIds: readonly string[]) => Promise<Observed>;
