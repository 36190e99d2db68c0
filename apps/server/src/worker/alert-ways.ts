import { createSmtpSender } from '@cordon/vendors';
import type { RoleConfig } from '../supervisor/role-config.ts';

/** How alerts and measures leave the installation: by its own mail server and collector, where they are configured. */
export function alertWays({ mail, telemetry }: Pick<RoleConfig, 'mail' | 'telemetry'>) {
  return {
    ...(mail.smtpUrl !== null && { sendMail: createSmtpSender({ url: mail.smtpUrl, from: mail.from }) }),
    ...(telemetry.otlpUrl !== null && { otlp: { url: telemetry.otlpUrl, headers: telemetry.otlpHeaders } }),
  };
}
