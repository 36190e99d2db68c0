import { fileURLToPath } from 'node:url';
import { Command } from 'commander';
import { addAccessCommands } from './cli/access-commands.ts';
import { addAppCommands } from './cli/app-commands.ts';
import { connect } from './cli/connection.ts';
import type { CliContext } from './cli/context.ts';
import { addContractCommands } from './cli/contract-commands.ts';
import { addCaseCommands } from './cli/case-commands.ts';
import { addCommunicationCommands } from './cli/communication-commands.ts';
import { addBackupCommands } from './cli/backup-commands.ts';
import { addConnectorCommands } from './cli/connector-commands.ts';
import { addDeclarationCommands } from './cli/declaration-commands.ts';
import { addDetectionCommands } from './cli/detection-commands.ts';
import { addDataCommands } from './cli/data-commands.ts';
import { addDrillCommands } from './cli/drill-commands.ts';
import { addDiscoveryCommands } from './cli/discovery-commands.ts';
import { addEventCommands } from './cli/event-commands.ts';
import { addApprovalCommands } from './cli/approval-commands.ts';
import { addCertificateCommands } from './cli/certificate-commands.ts';
import { addIntegrationCommands } from './cli/integration-commands.ts';
import { addInspectionCommands } from './cli/inspection-commands.ts';
import { addGraphCommands } from './cli/graph-commands.ts';
import { addGraphqlCommands } from './cli/graphql-commands.ts';
import { addLearnCommands } from './cli/learn-commands.ts';
import { addBacktestCommand } from './cli/backtest-command.ts';
import { addForwardCommands } from './cli/forward-commands.ts';
import { addMonitorCommands } from './cli/monitor-commands.ts';
import { addMcpCommands } from './cli/mcp-commands.ts';
import { addOfflineCommands } from './cli/offline-commands.ts';
import { describeFailure, endWithReader, note } from './cli/output.ts';
import { addPlaybookCommands } from './cli/playbook-commands.ts';
import { addProvisioningCommands } from './cli/provisioning-commands.ts';
import { addQuestionnaireCommands } from './cli/questionnaire-commands.ts';
import { addReviewCommands } from './cli/review-commands.ts';
import { addRoleCommands } from './cli/role-commands.ts';
import { addRunCommands } from './cli/run-commands.ts';
import { addBehaviourCommands } from './cli/behaviour-commands.ts';
import { addProofCommands } from './cli/proof-commands.ts';
import { addLeaverCommands } from './cli/leaver-commands.ts';
import { addProvisionCommands } from './cli/provision-commands.ts';
import { addSystemCommands } from './cli/system-commands.ts';
import { addAttestationCommands } from './cli/attestation-commands.ts';
import { addPentestCommands } from './cli/pentest-commands.ts';
import { addSignOnCommands } from './cli/sign-on-commands.ts';
import { addVendorCommands } from './cli/vendor-commands.ts';
import { addVendorInsightCommands } from './cli/vendor-insight-commands.ts';
import { loadSettings } from './cli/settings.ts';
import { addTokenCommands } from './cli/token-command.ts';
import { addWebhookCommands } from './cli/webhook-commands.ts';

/** The composition root: the only place that reads the environment. */
function buildProgram(): Command {
  const { env } = process;
  const program = new Command('cordon')
    .description('The integration security perimeter')
    .option('--config <path>', 'configuration file; cordon.yaml in this folder when absent')
    .showHelpAfterError()
    .exitOverride();
  const context: CliContext = {
    env,
    program: fileURLToPath(import.meta.url),
    config: () => loadSettings(env, program.opts<{ config?: string }>().config),
    connect: async () => connect(env, await context.config()),
  };
  addRunCommands(program, context);
  addAppCommands(program, context);
  addIntegrationCommands(program, context);
  addCertificateCommands(program, context);
  addApprovalCommands(program, context);
  addMcpCommands(program, context);
  addGraphqlCommands(program, context);
  addLearnCommands(program, context);
  addGraphCommands(program, context);
  addAccessCommands(program, context);
  addInspectionCommands(program, context);
  addTokenCommands(program, context);
  addDeclarationCommands(program, context);
  addConnectorCommands(program, context);
  addBackupCommands(program, context);
  addDataCommands(program, context);
  addDrillCommands(program, context);
  addEventCommands(program, context);
  addDetectionCommands(program, context);
  addBehaviourCommands(program, context);
  addCaseCommands(program, context);
  addCommunicationCommands(program, context);
  addPlaybookCommands(program, context);
  addSystemCommands(program, context);
  addWebhookCommands(program, context);
  addProofCommands(program, context);
  addLeaverCommands(program, context);
  addProvisionCommands(program, context);
  addDiscoveryCommands(program, context);
  addReviewCommands(program, context);
  addProvisioningCommands(program, context);
  addOfflineCommands(program);
  addBacktestCommand(program, context);
  addForwardCommands(program, context);
  addMonitorCommands(program, context);
  addQuestionnaireCommands(program);
  addVendorCommands(program, context);
  addSignOnCommands(program, context);
  addVendorInsightCommands(program, context);
  addAttestationCommands(program, context);
  addPentestCommands(program, context);
  addContractCommands(program);
  addRoleCommands(program, context);
  return program;
}

endWithReader(process.stdout, (status) => process.exit(status));
try {
  await buildProgram().parseAsync();
} catch (error) {
  // Commander has already said what is wrong with the arguments, or printed the help that was asked for.
  const shown = error instanceof Error && 'exitCode' in error && typeof error.exitCode === 'number';
  if (shown) process.exitCode = error.exitCode === 0 ? 0 : 64;
  else {
    const { text, status } = describeFailure(error);
    note(text);
    process.exitCode = status;
  }
}
