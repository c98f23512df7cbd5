import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, expect } from 'vitest';
import { type Served, serve } from '../../src/cli/outbox/serve.ts';
import type { DashboardOptions } from '../../src/outbox/dashboard-options.ts';
import type { Outbox } from '../../src/outbox/outbox.ts';
import type { MailState, OutboxStore } from '../../src/outbox/store.ts';
import { launchChromium } from '../mailbox/chromium.ts';

export const DESKTOP: BrowserContextOptions = { viewport: { width: 1280, height: 820 }, locale: 'en-GB' };
export const PHONE: BrowserContextOptions = { viewport: { width: 390, height: 844 }, locale: 'en-GB', hasTouch: true };

let browser: Browser;
const errors: string[] = [];
const servers: Served[] = [];
const outboxes: Outbox[] = [];

/** Starts a browser for a file of tests; what its pages report as errors fails them, and so does a request to anywhere else. */
export function startBrowser(): void {
  beforeAll(async () => {
    browser = await launchChromium();
  });
  afterAll(() => browser?.close());
  afterEach(async () => {
    for (const context of browser.contexts()) await context.close();
    for (const server of servers.splice(0)) await server.close();
    for (const outbox of outboxes.splice(0)) await outbox.close();
    const reported = errors.splice(0);
    expect(reported).toEqual([]);
  });
}

/** Serves the dashboard of an outbox; resolves with where. */
export async function serveDashboard(outbox: Outbox, options: DashboardOptions = {}): Promise<string> {
  const server = await serve(outbox.dashboard(options), '127.0.0.1', 0);
  servers.push(server);
  outboxes.push(outbox);
  return `http://127.0.0.1:${server.port}/admin/outbox`;
}

/** Opens a page. @param expected an error of the browser's console that is meant to be */
export async function openPage(
  url: string,
  options: BrowserContextOptions = DESKTOP,
  expected?: RegExp,
): Promise<Page> {
  const page = await (await browser.newContext(options)).newPage();
  const { origin } = new URL(url);
  page.on('pageerror', (error) => errors.push(error.message));
  page.on('dialog', (dialog) => errors.push(`a dialog says ${dialog.message()}`));
  page.on('request', (request) => {
    if (origin !== 'null' && !request.url().startsWith(`${origin}/`)) errors.push(`it asks ${request.url()}`);
  });
  page.on('console', (message) => {
    if (message.type() === 'error' && !expected?.test(message.text())) errors.push(message.text());
  });
  await page.goto(url);
  return page;
}

/** Puts queued mails into another state, as a worker would have. */
export async function putInto(store: OutboxStore, ids: readonly string[], to: MailState, facts: string | null = null) {
  const change = { fence: null, from: ['queued'] as const, to, afterMs: 0, isTried: true, facts };
  const kept = { keepsRequest: false, dropsContent: false };
  expect(await store.settle(ids.map((id) => ({ id, ...change, ...kept })))).toHaveLength(ids.length);
}
