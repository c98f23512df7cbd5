import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, expect } from 'vitest';
import { type MailboxServer, startMailbox } from '../../src/mailbox/mailbox.ts';
import { launchChromium } from './chromium.ts';

const DESKTOP_SIZE = { width: 1280, height: 820 } as const;
export const DESKTOP: BrowserContextOptions = { viewport: DESKTOP_SIZE, locale: 'en-GB' };
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
    errors = [];
    mailbox = (await startMailbox({ port: 0, smtpPort: 0 })) as MailboxServer; // the class behind the interface
  });
  afterEach(async () => {
    // A page whose mailbox has gone reports that it cannot reach it.
    for (const page of open.splice(0)) await (page === usual ? page.goto('about:blank') : page.context().close());
    await mailbox.close();
    expect(errors).toEqual([]);
  });
}

/** What the page of the test that runs has reported as errors. */
let errors: string[] = [];
/** The page of every test that asks for nothing special: a new one costs a new process of the browser. */
let usual: Page | undefined;
/** The pages that the test that runs has opened. */
const open: Page[] = [];

/** Opens the page; what it reports as an error fails the test. */
export async function openPage(options: BrowserContextOptions = DESKTOP): Promise<Page> {
  const isUsual = options === DESKTOP;
  const page = (isUsual ? usual : undefined) ?? (await newPage(options));
  if (isUsual) {
    usual = page;
    await page.setViewportSize(DESKTOP_SIZE);
  }
  open.push(page);
  await page.goto(mailbox.url);
  return page;
}

async function newPage(options: BrowserContextOptions): Promise<Page> {
  const page = await (await browser.newContext(options)).newPage();
  page.on('pageerror', (error) => errors.push(error.message));
  page.on('console', (message) => {
    const isOfMail = message.location().url.includes('/html?'); // what a broken mail asks for is blocked, and said
    if (message.type() === 'error' && !isOfMail) errors.push(message.text());
  });
  return page;
}

/** The subjects in the list. */
export const subjects = (page: Page): Promise<string[]> => page.locator('.row .subject').allTextContents();
