import type { Command } from 'commander';
import type { CliContext } from './context.ts';

/** One file of commands: which commands of the first level it holds or extends, and how it adds them. */
interface CommandFile {
  readonly names: readonly string[];
  readonly add: (program: Command, context: CliContext) => Promise<void>;
}

/**
 * Every file of commands, in the order that `cordon --help` shows. A file is loaded only when one of its names was
 * asked for, since their libraries take longer to load than most commands take to run. A file that extends another's
 * command comes behind it.
 */
export const COMMAND_FILES: readonly CommandFile[] = [
  { names: ['up', 'demo'], add: async (p, c) => (await import('./run-commands.ts')).addRunCommands(p, c) },
  { names: ['app'], add: async (p, c) => (await import('./app-commands.ts')).addAppCommands(p, c) },
  {
    names: ['integration', 'grant'],
    add: async (p, c) => (await import('./integration-commands.ts')).addIntegrationCommands(p, c),
  },
  {
    names: ['integration'],
    add: async (p, c) => (await import('./certificate-commands.ts')).addCertificateCommands(p, c),
  },
  {
    names: ['requirement', 'approval', 'lock'],
    add: async (p, c) => (await import('./approval-commands.ts')).addApprovalCommands(p, c),
  },
  { names: ['exchange'], add: async (p, c) => (await import('./exchange-commands.ts')).addExchangeCommands(p, c) },
  { names: ['mcp'], add: async (p, c) => (await import('./mcp-commands.ts')).addMcpCommands(p, c) },
  { names: ['graphql'], add: async (p, c) => (await import('./graphql-commands.ts')).addGraphqlCommands(p, c) },
  { names: ['app'], add: async (p, c) => (await import('./learn-commands.ts')).addLearnCommands(p, c) },
  { names: ['graph'], add: async (p, c) => (await import('./graph-commands.ts')).addGraphCommands(p, c) },
  { names: ['access'], add: async (p, c) => (await import('./access-commands.ts')).addAccessCommands(p, c) },
  {
    names: ['injection', 'proxy'],
    add: async (p, c) => (await import('./inspection-commands.ts')).addInspectionCommands(p, c),
  },
  { names: ['token', 'client-key'], add: async (p, c) => (await import('./token-command.ts')).addTokenCommands(p, c) },
  {
    names: ['plan', 'apply', 'export'],
    add: async (p, c) => (await import('./declaration-commands.ts')).addDeclarationCommands(p, c),
  },
  { names: ['connector'], add: async (p, c) => (await import('./connector-commands.ts')).addConnectorCommands(p, c) },
  { names: ['backup', 'restore'], add: async (p, c) => (await import('./backup-commands.ts')).addBackupCommands(p, c) },
  { names: ['data'], add: async (p, c) => (await import('./data-commands.ts')).addDataCommands(p, c) },
  {
    names: ['detector'],
    add: async (p, c) => (await import('./detector-commands.ts')).addDetectorCommands(p, c),
  },
  { names: ['dlp'], add: async (p, c) => (await import('./dlp-commands.ts')).addDlpCommands(p, c) },
  { names: ['drill'], add: async (p, c) => (await import('./drill-commands.ts')).addDrillCommands(p, c) },
  { names: ['events'], add: async (p, c) => (await import('./event-commands.ts')).addEventCommands(p, c) },
  {
    names: ['alerts', 'source'],
    add: async (p, c) => (await import('./detection-commands.ts')).addDetectionCommands(p, c),
  },
  { names: ['behaviour'], add: async (p, c) => (await import('./behaviour-commands.ts')).addBehaviourCommands(p, c) },
  { names: ['case'], add: async (p, c) => (await import('./case-commands.ts')).addCaseCommands(p, c) },
  {
    names: ['duty', 'contact', 'notice'],
    add: async (p, c) => (await import('./communication-commands.ts')).addCommunicationCommands(p, c),
  },
  { names: ['playbook'], add: async (p, c) => (await import('./playbook-commands.ts')).addPlaybookCommands(p, c) },
  {
    names: ['status', 'audit', 'config', 'keys'],
    add: async (p, c) => (await import('./system-commands.ts')).addSystemCommands(p, c),
  },
  { names: ['webhook'], add: async (p, c) => (await import('./webhook-commands.ts')).addWebhookCommands(p, c) },
  { names: ['proof'], add: async (p, c) => (await import('./proof-commands.ts')).addProofCommands(p, c) },
  { names: ['leaver'], add: async (p, c) => (await import('./leaver-commands.ts')).addLeaverCommands(p, c) },
  { names: ['group'], add: async (p, c) => (await import('./group-commands.ts')).addGroupCommands(p, c) },
  { names: ['elevation'], add: async (p, c) => (await import('./elevation-commands.ts')).addElevationCommands(p, c) },
  {
    names: ['break-glass', 'service-accounts'],
    add: async (p, c) => (await import('./break-glass-commands.ts')).addBreakGlassCommands(p, c),
  },
  { names: ['provision'], add: async (p, c) => (await import('./provision-commands.ts')).addProvisionCommands(p, c) },
  { names: ['discover'], add: async (p, c) => (await import('./discovery-commands.ts')).addDiscoveryCommands(p, c) },
  { names: ['review'], add: async (p, c) => (await import('./review-commands.ts')).addReviewCommands(p, c) },
  { names: ['scim'], add: async (p, c) => (await import('./provisioning-commands.ts')).addProvisioningCommands(p, c) },
  {
    names: ['classify', 'detect', 'posture'],
    add: async (p) => (await import('./offline-commands.ts')).addOfflineCommands(p),
  },
  { names: ['posture'], add: async (p, c) => (await import('./posture-commands.ts')).addPostureCommands(p, c) },
  { names: ['detect'], add: async (p, c) => (await import('./backtest-command.ts')).addBacktestCommand(p, c) },
  {
    names: ['enrichment', 'threats'],
    add: async (p, c) => (await import('./enrichment-commands.ts')).addEnrichmentCommands(p, c),
  },
  {
    names: ['keep'],
    add: async (p, c) => (await import('./event-retention-commands.ts')).addEventRetentionCommands(p, c),
  },
  { names: ['forward'], add: async (p, c) => (await import('./forward-commands.ts')).addForwardCommands(p, c) },
  { names: ['monitor'], add: async (p, c) => (await import('./monitor-commands.ts')).addMonitorCommands(p, c) },
  {
    names: ['questionnaire'],
    add: async (p) => (await import('./questionnaire-commands.ts')).addQuestionnaireCommands(p),
  },
  { names: ['vendor'], add: async (p, c) => (await import('./vendor-commands.ts')).addVendorCommands(p, c) },
  { names: ['sso'], add: async (p, c) => (await import('./sign-on-commands.ts')).addSignOnCommands(p, c) },
  {
    names: ['vendor'],
    add: async (p, c) => (await import('./vendor-insight-commands.ts')).addVendorInsightCommands(p, c),
  },
  {
    names: ['attestation'],
    add: async (p, c) => (await import('./attestation-commands.ts')).addAttestationCommands(p, c),
  },
  { names: ['pentest'], add: async (p, c) => (await import('./pentest-commands.ts')).addPentestCommands(p, c) },
  { names: ['contract'], add: async (p) => (await import('./contract-commands.ts')).addContractCommands(p) },
  { names: ['role'], add: async (p, c) => (await import('./role-commands.ts')).addRoleCommands(p, c) },
];

/** The command of the first level that the arguments ask for; undefined when they ask for help or something unknown. */
export function wantedCommand(args: readonly string[]): string | undefined {
  for (let index = 0; index < args.length; index++) {
    const word = args[index] ?? '';
    if (word === '--config') index++;
    else if (!word.startsWith('-')) return COMMAND_FILES.some(({ names }) => names.includes(word)) ? word : undefined;
  }
  return undefined;
}

/** Adds the files that `wanted` needs, or all of them. */
export async function addCommands(program: Command, context: CliContext, wanted?: string): Promise<void> {
  for (const file of COMMAND_FILES) {
    if (wanted === undefined || file.names.includes(wanted)) await file.add(program, context);
  }
}
