import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startMailbox } from 'amsdal-mail/mailbox';
import { expect, onTestFinished, test } from 'vitest';
import { launchChromium } from './chromium.ts';

// What is built: a worker thread cannot load TypeScript.
test('a preview is opened from its list, shown, and shown anew when its file changes', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'previews-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const write = (name: string, title: string): void =>
    writeFileSync(
      join(folder, 'emails', name),
      `export const preview = () => ({ subject: 'Hello', body: 'Hi', htmlBody: '<h1>${title}</h1>' });`,
    );
  mkdirSync(join(folder, 'emails'));
  write('welcome.mjs', 'Welcome');
  const mailbox = await startMailbox({ port: 0, smtpPort: null, previews: join(folder, 'emails') });
  onTestFinished(() => mailbox.close());
  const browser = await launchChromium();
  onTestFinished(() => browser.close());
  const page = await browser.newPage();
  await page.goto(mailbox.url);
  await page.getByRole('tab', { name: /Previews/ }).click();
  await page.getByRole('link', { name: 'welcome' }).click();
  expect(await page.locator('.mail-head h2').textContent()).toBe('Hello');
  const heading = page.frameLocator('.stage iframe').locator('h1');
  expect(await heading.textContent()).toBe('Welcome');
  write('welcome.mjs', 'Welcome back');
  await heading.getByText('Welcome back').waitFor();
  write('receipt.mjs', 'Receipt');
  await page.getByRole('link', { name: 'receipt' }).waitFor();
  await page.keyboard.press('k');
  await heading.getByText('Receipt', { exact: true }).waitFor();
  await page.getByRole('tab', { name: /Caught/ }).click();
  await page.getByText('Nothing caught yet.').waitFor();
});
