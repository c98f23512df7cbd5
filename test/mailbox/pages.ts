import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, expect, onTestFinished } from 'vitest';
import { type MailboxServer, startMailbox } from '../../src/mailbox/mailbox.ts';
import { launchChromium } from './chromium.ts';

export const DESKTOP: BrowserContextOptions = { viewport: { width: 1280, height: 820 }, locale: 'en-GB' };
export const PHONE: BrowserContextOptions = { viewport: { width: 390, height: 844 }, locale: 'en-GB', hasTouch: true };

let browser: Browser;
/** The mailbox of the test that runs. */
export let mailbox: MailboxServer;

/** Starts a browser for a file of tests, and a mailbox for each of them. */
export function startPages(): void {
  beforeAll(async () => {
    browser = await launchChromium();
  });
  afterAll(() => browser?.close());
  beforeEach(async () => {
    mailbox = (await startMailbox({ port: 0, smtpPort: 0 })) as MailboxServer; // the class behind the interface
  });
  afterEach(() => mailbox.close());
}

/** Opens the page; what it reports as an error fails the test. */
export async function openPage(options: BrowserContextOptions = DESKTOP): Promise<Page> {
  const context = await browser.newContext(options);
  const page = await context.newPage();
  const errors: string[] = [];
  page.on('pageerror', (error) => errors.push(error.message));
  page.on('console', (message) => {
    const isOfMail = message.location().url.includes('/html?'); // what a broken mail asks for is blocked, and said
    if (message.type() === 'error' && !isOfMail) errors.push(message.text());
  });
  onTestFinished(async () => {
    await context.close();
    expect(errors).toEqual([]);
  });
  await page.goto(mailbox.url);
  return page;
}

/** The subjects in the list. */
export const subjects = (page: Page): Promise<string[]> => page.locator('.row .subject').allTextContents();
