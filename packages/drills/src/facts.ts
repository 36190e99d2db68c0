/** What a drill left in alerts, the audit trail, the lake and the outbox: read by the composition root, judged here. */
export interface Facts {
  readonly alerts: readonly {
    readonly id: string;
    readonly ruleId: string;
    readonly title: string;
    readonly level: string;
    readonly createdAt: number;
  }[];
  readonly runs: readonly {
    readonly id: string;
    readonly playbook: string;
    /** Names under which detections ask for it. */
    readonly triggers: readonly string[];
    readonly status: string;
    /** What a person has to say before it can be approved. */
    readonly missing: readonly string[];
    readonly caseId: string | null;
    /** From the audit trail, with the number of the record. */
    readonly proposed: Recorded | null;
    readonly approved: (Recorded & { readonly by: string }) | null;
  }[];
  readonly cutOffs: readonly {
    readonly integrationId: string;
    /** The record of the decision. */
    readonly decided: Recorded;
    /** The record that says every live gateway had applied it; null: not yet, or not all. */
    readonly reached: Recorded | null;
    readonly gateways: readonly { readonly id: string; readonly pid: number; readonly delayMs: number }[];
  }[];
  readonly messages: readonly {
    readonly id: string;
    readonly channel: string;
    readonly at: number;
    readonly status: 'waiting' | 'sent' | 'failed' | 'held';
  }[];
  /** What people did to anything of the drill, from the audit trail. */
  readonly acts: readonly { readonly personId: string; readonly at: number; readonly action: string }[];
  /** Events in the lake that carry the drill's label, whose signature held. */
  readonly lake: { readonly events: number; readonly findings: number };
  /** Gateways that report now. */
  readonly liveGateways: number;
}

export interface Recorded {
  readonly at: number;
  readonly seq: number;
}

export const NO_FACTS: Facts = {
  alerts: [],
  runs: [],
  cutOffs: [],
  messages: [],
  acts: [],
  lake: { events: 0, findings: 0 },
  liveGateways: 0,
};
