import { LogLevel, WebClient } from '@slack/web-api';
import { type IntegrationContext, type IntegrationRun, messageOf, startRun } from '../integration.ts';

export interface NotifierRun extends IntegrationRun {
  /** The message as Slack holds it; absent when it was refused. */
  readonly stored?: string;
}

/** Posts what a careless bot would: a customer's card number and an access key. */
export async function run(context: IntegrationContext, leak: { card: string; awsKey: string }): Promise<NotifierRun> {
  const wire = startRun(context);
  const slack = new WebClient(await context.token(), {
    slackApiUrl: `${context.addressOf('slack').prefixUrl}/api/`,
    fetch: wire.fetch,
    retryConfig: { retries: 0 },
    logLevel: LogLevel.ERROR,
  });
  const text = `Payment of order 1042 failed: card ${leak.card}, uploaded with ${leak.awsKey}.`;
  try {
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- Slack's method, not window.postMessage
    const posted = await slack.chat.postMessage({ channel: 'payments', text });
    context.report('message posted to #payments');
    const channel = posted.channel ?? '';
    // What matters is what the vendor holds now, not what the answer says.
    const history = await slack.conversations.history({ channel, limit: 5 });
    const stored = history.messages?.find((message) => message.ts === posted.ts)?.text;
    return { wire, counts: { posted: 1 }, ...(stored === undefined ? {} : { stored }) };
  } catch (error) {
    return { wire, sdkError: messageOf(error), counts: { posted: 0 } };
  }
}
