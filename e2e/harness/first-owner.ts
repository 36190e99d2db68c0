import type { Page } from 'playwright-core';
import type { RunningCordon } from './running-cordon.ts';

/** Opens the link of the first start and becomes the owner, with a passkey of the tab's virtual authenticator. */
export async function becomeFirstOwner(page: Page, cordon: Pick<RunningCordon, 'firstOwnerLink'>): Promise<void> {
  await page.goto(await cordon.firstOwnerLink());
  await page.getByLabel('Your name').fill('Ada Byron');
  await page.getByLabel('E-mail address').fill('ada@example.com');
  await page.getByRole('button', { name: 'Continue' }).click();
  await page.getByRole('button', { name: 'Create a passkey' }).click();
  await page.getByLabel('I have kept the codes').check();
  await page.getByRole('button', { name: 'Go to Cordon' }).click();
}
