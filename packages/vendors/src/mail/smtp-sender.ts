import { createTransport } from 'nodemailer';
import type { SendMail } from './mail-queue.ts';

const CONNECT_MS_MAX = 10_000;
const SEND_MS_MAX = 30_000;

/** Sends over SMTP. `url` is `smtp://user:password@host:port` or `smtps://`; plain SMTP uses STARTTLS where offered. */
export function createSmtpSender({ url, from }: { readonly url: string; readonly from: string }): SendMail {
  const transport = createTransport({
    url,
    connectionTimeout: CONNECT_MS_MAX,
    greetingTimeout: CONNECT_MS_MAX,
    socketTimeout: SEND_MS_MAX,
    disableFileAccess: true,
    disableUrlAccess: true,
  });
  return async ({ to, subject, text }, id) => {
    await transport.sendMail({ from, to: { name: '', address: to }, subject, text, messageId: `<${id}@cordon>` });
  };
}
