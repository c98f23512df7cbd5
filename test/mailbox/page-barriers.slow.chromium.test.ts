import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Page } from 'playwright-core';
import { describe, expect, test } from 'vitest';
import { catchMail, catchSource } from './caught.ts';
import { DESKTOP, mailbox, openPage, PHONE, startPages } from './pages.ts';
import { SAMPLE_MAILS } from './sample-mails.ts';

const AXE = readFileSync(fileURLToPath(import.meta.resolve('axe-core/axe.min.js')), 'utf8');

startPages();

describe.each(['light', 'dark'] as const)('%s', (colorScheme) => {
  test.each([
    ['the list', async () => {}],
    ['a message', (page: Page) => page.locator('.row').first().click()],
    ['the checks', (page: Page) => openTab(page, 'Checks')],
    ['the structure', (page: Page) => openTab(page, 'Structure')],
    ['the delivery', (page: Page) => openTab(page, 'Delivery')],
    ['the help', (page: Page) => page.keyboard.press('?')],
    ['chaos', (page: Page) => page.getByRole('button', { name: 'Chaos', exact: true }).click()],
    ['previews', (page: Page) => page.getByRole('tab', { name: /Previews/ }).click()],
  ])('axe finds nothing serious in %s', async (_, steps) => {
    for (const mail of SAMPLE_MAILS) catchMail(mailbox, mail);
    catchSource(
      mailbox,
      'Subject: Broken\nContent-Type: text/html\n\n<img src="cid:x"><a href="http://example.com">x</a>',
    );
    for (const options of [DESKTOP, PHONE]) {
      const page = await openPage({ ...options, colorScheme });
      await page.locator('.row').first().waitFor();
      await steps(page);
      await page.evaluate(AXE);
      expect(await page.evaluate(findBarriers)).toEqual([]);
    }
  });
});

async function openTab(page: Page, name: string): Promise<void> {
  await page.locator('.row').first().click();
  await page.getByRole('tab', { name }).click();
}

/** Runs in the page: what axe calls serious or critical. */
async function findBarriers(): Promise<string[]> {
  const { axe } = globalThis as unknown as { axe: typeof import('axe-core') }; // the script above defines it
  const { violations } = await axe.run(document, { iframes: false });
  return violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .flatMap(({ id, nodes }) => nodes.map(({ html, failureSummary }) => `${id}: ${html}\n${failureSummary}`));
}
