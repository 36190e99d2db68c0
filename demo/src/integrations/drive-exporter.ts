// The whole of googleapis takes two seconds to load; these are two of its files.
import { calendar_v3 } from 'googleapis/build/src/apis/calendar/v3.js';
import { drive_v3 } from 'googleapis/build/src/apis/drive/v3.js';
import { googleOptions } from '../google-client.ts';
import { type IntegrationContext, type IntegrationRun, messageOf, startRun } from '../integration.ts';
import { DRIVE_PAYROLL_ID } from '../seeds/google-seed.ts';

/** Lists files and meetings, as it may; then shares the payroll with anyone who has the link, as it must not. */
export async function run(context: IntegrationContext): Promise<IntegrationRun> {
  const wire = startRun(context);
  const address = context.addressOf('google');
  const options = googleOptions(address.portUrl ?? address.prefixUrl, await context.token(), wire);
  const drive = new drive_v3.Drive(options);
  const calendar = new calendar_v3.Calendar(options);
  let files = 0;
  let pageToken: string | undefined;
  do {
    const page = await drive.files.list({ pageSize: 10, ...(pageToken === undefined ? {} : { pageToken }) });
    files += page.data.files?.length ?? 0;
    pageToken = page.data.nextPageToken ?? undefined;
  } while (pageToken !== undefined);
  const events = await calendar.events.list({ calendarId: 'primary', maxResults: 20 });
  context.report(`${files} files, ${events.data.items?.length ?? 0} meetings`);
  const counts = { files, events: events.data.items?.length ?? 0 };
  try {
    await drive.permissions.create({ fileId: DRIVE_PAYROLL_ID, requestBody: { type: 'anyone', role: 'reader' } });
    return { wire, counts: { ...counts, shared: 1 } };
  } catch (error) {
    return { wire, sdkError: messageOf(error), counts: { ...counts, shared: 0 } };
  }
}
