import { readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Page } from 'playwright-core';
import { describe, expect, onTestFinished, test } from 'vitest';
import { Outbox } from '../../src/connection/outbox.ts';
import { sqliteStore } from '../../src/outbox/stores/sqlite.ts';
import { DESKTOP, openPage, PHONE, putInto, serveDashboard, startBrowser } from './dashboard-pages.ts';
import { mail, setUp } from './outbox-set-up.ts';

const AXE = readFileSync(fileURLToPath(import.meta.resolve('axe-core/axe.min.js')), 'utf8');

startBrowser();

describe.each(['light', 'dark'] as const)('%s', (colorScheme) => {
  test.each([
    ['the overview', async () => {}],
    ['the list', (page: Page) => page.goto(`${page.url()}#/mails`)],
    ['a selection', select],
    ['a mail', (page: Page) => openMail(page, 'Order 0')],
    ['a mail in doubt', (page: Page) => openMail(page, 'Order 1')],
    ['a question', askCancel],
    ['the help', (page: Page) => page.keyboard.press('?')],
    ['a search that finds nothing', searchNothing],
    ['the table of the plot', (page: Page) => page.getByText('As a table').click()],
  ])('axe finds nothing in %s', async (_, steps) => {
    const { outbox, dummy, store } = setUp();
    dummy.refuse('jane@example.org', 550, '5.1.1');
    const [sent] = await outbox.enqueue(mail({ subject: 'Order 0' }));
    await outbox.flush();
    expect(sent).toBeDefined();
    const [doubtful] = await outbox.enqueue(mail({ subject: 'Order 1' }));
    await putInto(store, [doubtful?.id ?? ''], 'in-doubt');
    await outbox.enqueue([mail(), mail({ to: ['a@example.org', 'b@example.org'] })], { lane: 'bulk' });
    await store.settle([], [{ lane: 'bulk', ms: 60_000, reason: '535 wrong password' }]);
    const url = await serveDashboard(outbox);
    for (const options of [DESKTOP, PHONE]) {
      const page = await openPage(url, { ...options, colorScheme });
      await page.locator('.tiles').waitFor();
      await steps(page);
      await page.evaluate(AXE);
      expect(await page.evaluate(findBarriers)).toEqual([]);
    }
  });

  test('axe finds nothing in an empty outbox', async () => {
    const page = await openPage(await serveDashboard(setUp().outbox), { ...DESKTOP, colorScheme });
    await page.getByText('No mail in the outbox yet.').waitFor();
    await page.evaluate(AXE);
    expect(await page.evaluate(findBarriers)).toEqual([]);
  });
});

test('who wants no motion gets none', async () => {
  const { outbox } = setUp();
  await outbox.enqueue(mail());
  const page = await openPage(await serveDashboard(outbox), { ...DESKTOP, reducedMotion: 'reduce' });
  await page.locator('.row').first().click();
  await page.getByRole('button', { name: 'Retry' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Retry' }).click();
  await page.getByRole('status').getByText('Retry: 1 mail').waitFor();
  const moving = await page.evaluate(() =>
    document
      .getAnimations()
      .map((animation) => Object.keys((animation.effect as KeyframeEffect).getKeyframes()[0] ?? {})),
  );
  expect(moving.flat().filter((name) => ['transform', 'left', 'top'].includes(name))).toEqual([]);
});

test('a hundred thousand mails open in under a second, and all can be reached', async () => {
  const path = join(tmpdir(), `amsdal-mail-dashboard-${process.pid}.db`);
  const store = sqliteStore(path);
  onTestFinished(() => {
    for (const end of ['', '-wal', '-shm']) rmSync(path + end, { force: true });
  });
  const recipient = { status: 'queued', isOpen: true, code: null, enhancedCode: null, response: null, via: null };
  for (let from = 0; from < 100_000; from += 1_000) {
    const mails = Array.from({ length: 1_000 }, (_, place) => {
      const number = from + place;
      const messageId = `<${number}.0123456789abcdef@example.com>`;
      const facts = JSON.stringify({
        ...{ from: 'Shop <shop@example.com>', subject: `Order ${number}`, messageId, events: [] },
        recipients: [{ address: `person${number}@example.org`, messageId, ...recipient }],
      });
      return {
        ...{
          id: `0mx${String(number).padStart(23, '0')}`,
          key: null,
          lane: number % 3 === 0 ? 'transactional' : 'bulk',
        },
        ...{ priority: 0, orderKey: null, messageId: null, dueAt: null, onDoubt: 'hold' as const, facts },
        ...{ content: new Uint8Array(500), blobs: [] },
      };
    });
    await store.enqueue(mails, {});
    // Most of them were sent.
    if (from < 90_000) {
      const state = {
        fence: null,
        from: ['queued'] as const,
        to: 'sent',
        afterMs: 0,
        isTried: true,
        facts: null,
        keepsRequest: false,
      } as const;
      await store.settle(mails.map(({ id }) => ({ id, ...state, dropsContent: true })));
    }
  }
  const outbox = new Outbox({ store, connection: 'dummy' });
  const full = await serveDashboard(outbox);
  const empty = await serveDashboard(setUp().outbox);
  const timeOf = async (url: string): Promise<number> => {
    const page = await openPage('about:blank');
    await page.addInitScript(noteWhenShown);
    await page.goto(url);
    await page.locator('[data-shown-at]').waitFor();
    const time = Number(await page.locator('html').getAttribute('data-shown-at'));
    await page.close();
    return time;
  };
  const [times, timesOfNone]: number[][] = [[], []];
  for (let count = 0; count < 7; count += 1) {
    timesOfNone?.push(await timeOf(empty));
    times?.push(await timeOf(full));
  }
  const [time, timeOfNone] = [median(times ?? []), median(timesOfNone ?? [])];
  console.log(`100,000 mails are shown after ${Math.round(time)} ms, none after ${Math.round(timeOfNone)} ms`);
  // On a busy machine nothing is fast; but an outbox may not be much slower than an empty one.
  expect(time).toBeLessThan(Math.max(1_000, 3 * timeOfNone));
  const page = await openPage(full);
  await page.getByRole('button', { name: 'All 100K' }).waitFor();
  await expect.poll(() => page.locator('.row').count()).toBe(100);
  await page.locator('.end-of-list').scrollIntoViewIfNeeded();
  await expect.poll(() => page.locator('.row').count()).toBe(200);
  await page.locator('#search').fill('<1234.0123456789abcdef@example.com>');
  await expect.poll(() => page.locator('.row .subject').allTextContents()).toEqual(['Order 1234']);
});

async function openMail(page: Page, subject: string): Promise<void> {
  await page.goto(`${page.url()}#/mails`);
  await page.locator('.row').getByText(subject, { exact: true }).click();
  await page.locator('.timeline').waitFor();
}

async function select(page: Page): Promise<void> {
  await page.goto(`${page.url()}#/mails`);
  await page.getByRole('checkbox', { name: /^Select all/ }).click();
  await page.getByRole('button', { name: 'Cancel 2' }).waitFor();
}

async function askCancel(page: Page): Promise<void> {
  await openMail(page, 'Order 1');
  await page.getByRole('button', { name: 'Send again' }).click();
  await page.getByRole('dialog').waitFor();
}

async function searchNothing(page: Page): Promise<void> {
  await page.goto(`${page.url()}#/mails`);
  await page.locator('#search').fill('nobody');
  await page.getByText('No mail fits.').waitFor();
}

/** Runs in the page: all that axe objects to. */
async function findBarriers(): Promise<string[]> {
  const { axe } = globalThis as unknown as { axe: typeof import('axe-core') }; // the script above defines it
  const { violations } = await axe.run(document);
  return violations.flatMap(({ id, nodes }) =>
    nodes.map(({ html, failureSummary }) => `${id}: ${html}\n${failureSummary}`),
  );
}

/** Runs in the page before its scripts: notes when list and overview are there, in milliseconds since the navigation. */
function noteWhenShown(): void {
  new MutationObserver((_, observer) => {
    if (document.querySelector('.row, .nothing') === null || document.querySelector('.tiles') === null) return;
    observer.disconnect();
    document.documentElement.dataset['shownAt'] = String(performance.now());
  }).observe(document, { childList: true, subtree: true });
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}
