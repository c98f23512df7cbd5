import { mkdirSync } from 'node:fs';
import type { Page } from 'playwright-core';
import { describe, expect, test } from 'vitest';
import { serve } from '../../src/cli/outbox/serve.ts';
import { DESKTOP, openPage, PHONE, putInto, serveDashboard, startBrowser } from './dashboard-pages.ts';
import { mail, setUp } from './outbox-set-up.ts';

startBrowser();

const subjects = (page: Page) => page.locator('.row .subject').allTextContents();
const tile = (page: Page, name: string) => page.locator('.tile').filter({ hasText: name }).locator('strong');

/** An outbox with mails in most states. */
async function fill() {
  const set = setUp({ retry: { delaysMs: [60_000] } });
  const { outbox, dummy, store } = set;
  dummy.refuse('gone@example.org', 550, '5.1.1');
  dummy.refuse('busy@example.org', 450, '4.2.1');
  const write = async (subject: string, to = 'jane@example.org', lane = 'transactional') =>
    (await outbox.enqueue(mail({ subject, to }), { lane })).map(({ id }) => id);
  const sent = await write('Your code is 482 913');
  const failed = await write('Reset your password', 'gone@example.org');
  const retried = await write('Invoice 2026-0311', 'busy@example.org');
  await outbox.flush();
  const doubtful = [...(await write('Order NW-1')), ...(await write('Order NW-2'))];
  await putInto(store, doubtful, 'in-doubt');
  const news = [
    ...(await write('News of March', 'tom@example.org', 'bulk')),
    ...(await write('News', 'li@example.org', 'bulk')),
  ];
  return { ...set, sent, failed, retried, doubtful, news };
}

test('the overview counts, and leads to what it counts', async () => {
  const { outbox } = await fill();
  const page = await openPage(await serveDashboard(outbox));
  await expect.poll(() => tile(page, 'Queued').textContent()).toBe('3');
  expect(await tile(page, 'In doubt').textContent()).toBe('2');
  expect(await tile(page, 'Failed').textContent()).toBe('1');
  expect(await page.title()).toBe('(2) Outbox');
  await page.getByRole('button', { name: '2 Queued of lane bulk: show them' }).click();
  await expect.poll(() => subjects(page)).toEqual(['News', 'News of March']);
  await page.getByRole('button', { name: 'Show', exact: true }).click();
  await expect.poll(() => subjects(page)).toEqual(['Order NW-2', 'Order NW-1']);
});

test('the plot shows what a tile counts, by lane, as a table, too', async () => {
  const { outbox } = await fill();
  const page = await openPage(await serveDashboard(outbox));
  await page
    .getByRole('button', { name: /^In doubt/ })
    .first()
    .waitFor();
  await page.locator('.tile').filter({ hasText: 'In doubt' }).click();
  await page.getByRole('img', { name: /^In doubt in the last .*; now transactional 2, bulk 0/ }).waitFor();
  await page.getByText('As a table').click();
  expect(
    await page.getByRole('region', { name: 'In doubt as a table' }).locator('tbody tr').first().innerText(),
  ).toMatch(/2\s+0$/);
  await page.getByText('Counts are remembered by the process that serves this page').waitFor();
  await page.locator('.plot').hover();
  await page.locator('.readout').getByText('transactional').waitFor();
});

test('a paused lane is told, with the reason, and shown among the lanes', async () => {
  const { outbox, store } = await fill();
  await store.settle([], [{ lane: 'bulk', ms: 90_000, reason: '535 5.7.8 wrong password' }]);
  const page = await openPage(await serveDashboard(outbox));
  const alarm = page.locator('.alarm').filter({ hasText: 'Lane bulk is paused, for another 1.5 min' });
  await alarm.getByText('535 5.7.8 wrong password').waitFor();
  await page.locator('tbody').getByText('paused').waitFor();
});

test('search and filters narrow the list, and say when nothing fits', async () => {
  const { outbox } = await fill();
  const page = await openPage(await serveDashboard(outbox));
  await expect.poll(() => subjects(page)).toHaveLength(7);
  await page.keyboard.press('/');
  await page.keyboard.type('BUSY@example');
  await expect.poll(() => subjects(page)).toEqual(['Invoice 2026-0311']);
  await page.locator('#search').fill('nobody');
  await page.getByText('No mail fits.').waitFor();
  await page.getByRole('button', { name: 'Show all' }).click();
  await expect.poll(() => subjects(page)).toHaveLength(7);
  await page.getByRole('combobox', { name: 'Lane' }).selectOption('bulk');
  await expect.poll(() => subjects(page)).toHaveLength(2);
  await page.getByRole('combobox', { name: 'Lane' }).selectOption('');
  await page
    .getByRole('button', { name: /^Failed/ })
    .first()
    .click();
  await expect.poll(() => subjects(page)).toEqual(['Reset your password']);
});

test('a mail shows who got it, what servers said, and what happened', async () => {
  const { outbox } = await fill();
  const page = await openPage(await serveDashboard(outbox));
  await page.locator('.row').getByText('Reset your password').click();
  await page.locator('.mail-head h2').getByText('Reset your password').waitFor();
  expect(await page.locator('.recipients').innerText()).toMatch(/gone@example\.org\s+invalid\s+550 5\.1\.1/);
  const steps = await page.locator('.timeline li').allInnerTexts();
  expect(steps.map((step) => step.split('\n')[0])).toEqual(['Written down', 'Tried', 'Failed after 1 try']);
  expect(steps[1]).toContain('invalid 550');
  expect(await page.getByRole('button', { name: 'Retry' }).count()).toBe(1);
  expect(await page.getByRole('button', { name: 'Cancel' }).count()).toBe(0);
});

test('a mail in doubt shows what the provider has told of it', async () => {
  const { outbox, doubtful } = await fill();
  const { messageId = null } = (await outbox.get(doubtful[0] ?? '')) ?? {};
  await outbox.learn({ type: 'bounced', messageId, recipient: 'jane@example.org', reason: '<b>full</b>' });
  const page = await openPage(await serveDashboard(outbox));
  await page.locator('.row').getByText('Order NW-1').click();
  const told = page.locator('.timeline li', { hasText: 'Told by the provider' });
  expect(await told.locator('.server-words').innerText()).toBe('bounced jane@example.org <b>full</b>');
});

describe('decisions', () => {
  test('about one mail: the question says what follows', async () => {
    const { outbox, doubtful } = await fill();
    const page = await openPage(await serveDashboard(outbox));
    await page.locator('.row').getByText('Order NW-1').click();
    await page.getByRole('button', { name: 'Send again' }).click();
    await page.getByRole('dialog', { name: 'Send again: 1 mail?' }).getByText('recipients get it twice').waitFor();
    await page.getByRole('button', { name: 'Back', exact: true }).last().click();
    expect((await outbox.get(doubtful[0] ?? ''))?.state).toBe('in-doubt');
    await page.getByRole('button', { name: 'It was sent' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'It was sent' }).click();
    await page.getByRole('status').getByText('It was sent: 1 mail').waitFor();
    await page.locator('.timeline').getByText('Resolved by hand').waitFor();
    expect((await outbox.get(doubtful[0] ?? ''))?.state).toBe('sent');
  });

  test('are told each time', async () => {
    const { outbox } = await fill();
    const page = await openPage(await serveDashboard(outbox));
    for (const subject of ['Order NW-1', 'Order NW-2']) {
      await page.locator('.row').getByText(subject).click();
      await page.locator('.mail-head h2').getByText(subject).waitFor();
      await page.getByRole('button', { name: 'It was sent' }).click();
      await page.getByRole('dialog').getByRole('button', { name: 'It was sent' }).click();
      const toast = page.locator('.toast');
      await toast.getByText('It was sent: 1 mail').waitFor();
      await toast.evaluate((element) => {
        for (const animation of element.getAnimations()) animation.finish();
      });
      await toast.waitFor({ state: 'hidden' });
    }
  });

  test('about many: each counts those that it is for', async () => {
    const { outbox, failed, news } = await fill();
    const page = await openPage(await serveDashboard(outbox));
    await page.locator('.row').first().waitFor();
    await page.getByRole('checkbox', { name: 'Select all 7 listed' }).click();
    await page.getByRole('button', { name: 'Retry 4' }).waitFor();
    await page.getByRole('button', { name: 'It was sent 2' }).waitFor();
    // It asks for nothing by itself while it is not seen.
    await page.evaluate(() => Object.defineProperty(document, 'visibilityState', { value: 'hidden' }));
    await page.getByRole('button', { name: 'Cancel 3' }).click();
    await outbox.cancel(news[0] ?? ''); // somebody else was faster
    await page.getByRole('dialog').getByRole('button', { name: 'Cancel' }).click();
    await page.getByRole('status').getByText('Cancel: 2 mails; 1 in another state by now').waitFor();
    await expect.poll(() => tile(page, 'Queued').textContent()).toBe('0');
    await page.getByRole('checkbox', { name: 'Select: Reset your password, to gone@example.org' }).check();
    await page.getByRole('button', { name: 'Retry' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Retry' }).click();
    await expect.poll(async () => (await outbox.get(failed[0] ?? ''))?.state).toBe('queued');
  });

  test('that fail leave the question, with the reason', async () => {
    const { outbox, store, doubtful } = await fill();
    const page = await openPage(await serveDashboard(outbox), DESKTOP, /500/);
    await page.locator('.row').getByText('Order NW-1').click();
    await page.getByRole('button', { name: 'Send again' }).click();
    const { settle } = store;
    store.settle = () => Promise.reject(new Error('the disk is full'));
    await page.getByRole('dialog').getByRole('button', { name: 'Send again' }).click();
    await page.getByRole('alert').getByText('the disk is full').waitFor();
    store.settle = settle;
    await page.getByRole('dialog').getByRole('button', { name: 'Send again' }).click();
    await expect.poll(async () => (await outbox.get(doubtful[0] ?? ''))?.state).toBe('queued');
  });

  test('are not offered where it only shows', async () => {
    const { outbox } = await fill();
    const page = await openPage(await serveDashboard(outbox, { readOnly: true }));
    await page.locator('.sidebar').getByText('read only').waitFor();
    await page.locator('.row').getByText('Order NW-1').click();
    await page.locator('.timeline').waitFor();
    expect(await page.getByRole('checkbox').count()).toBe(0);
    expect(await page.getByRole('button', { name: 'Send again' }).count()).toBe(0);
  });
});

test('the keyboard goes through the list, opens, selects, helps, and comes back', async () => {
  const { outbox } = await fill();
  const page = await openPage(await serveDashboard(outbox));
  await page.locator('.row').first().waitFor();
  const focused = () => page.evaluate(() => document.activeElement?.querySelector('.subject')?.textContent);
  await page.keyboard.press('j');
  await expect.poll(focused).toBe('News');
  await page.keyboard.press('j');
  await expect.poll(focused).toBe('News of March');
  await page.keyboard.press('k');
  await page.keyboard.press('x');
  await page.getByText('1 selected').waitFor();
  await page.keyboard.press('Enter');
  const heading = page.locator('.mail-head h2');
  await expect.poll(() => heading.textContent()).toBe('News');
  await page.keyboard.press('j');
  await expect.poll(() => heading.textContent()).toBe('News of March');
  await page.keyboard.press('Escape');
  await page.locator('.tiles').waitFor();
  await page.keyboard.press('?');
  await page.getByRole('dialog', { name: 'Keyboard' }).waitFor();
  await page.keyboard.press('Escape');
  const theme = () => page.evaluate(() => document.documentElement.dataset['theme']);
  expect(await theme()).toBe('light');
  await page.keyboard.press('d');
  await expect.poll(theme).toBe('dark');
});

test('what has the focus shows it', async () => {
  const { outbox } = await fill();
  const page = await openPage(await serveDashboard(outbox));
  await page.locator('.row').first().waitFor();
  for (let count = 0; count < 14; count += 1) {
    await page.keyboard.press('Tab');
    const shown = await page.evaluate(() => {
      const element = document.activeElement ?? document.body;
      const { outlineStyle, boxShadow } = getComputedStyle(element);
      return outlineStyle !== 'none' || boxShadow !== 'none' ? 'shown' : element.outerHTML.slice(0, 200);
    });
    expect(shown).toBe('shown');
  }
});

test('a phone shows the overview, the list, then a mail, and nothing is wider than it', async () => {
  const { outbox } = await fill();
  await outbox.enqueue(mail({ subject: 'W'.repeat(300), to: `${'a'.repeat(60)}@${'b'.repeat(60)}.example.org` }));
  const page = await openPage(await serveDashboard(outbox), PHONE);
  const fits = async () =>
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(390);
  await page.locator('.tiles').waitFor();
  await fits();
  await page.getByRole('link', { name: 'Mails' }).click();
  await page.locator('.row').first().waitFor();
  expect(await page.locator('.tiles').isVisible()).toBe(false);
  await fits();
  await page.getByRole('checkbox', { name: /^Select all/ }).check();
  const label = await page.locator('.picked label').boundingBox();
  expect(label?.height).toBeLessThan(40); // its words are in one line
  await fits();
  await page.locator('.row').first().click();
  await page.locator('.timeline').waitFor();
  expect(await page.locator('.sidebar').isVisible()).toBe(false);
  await fits();
  await page.getByRole('button', { name: 'Back' }).click();
  await page.locator('.row').first().waitFor();
});

test('what is enqueued appears by itself', async () => {
  const { outbox } = setUp();
  const page = await openPage(await serveDashboard(outbox));
  await page.getByText('No mail in the outbox yet.').waitFor();
  await page.getByText('What is enqueued appears here').waitFor();
  await outbox.enqueue(mail({ subject: 'The first one' }));
  await page.locator('.row').getByText('The first one').waitFor();
  expect(await tile(page, 'Queued').textContent()).toBe('1');
});

test('a store that does not answer is told, and no more once it does', async () => {
  const { outbox, store } = await fill();
  const page = await openPage(await serveDashboard(outbox), DESKTOP, /500|404/);
  await page.locator('.row').first().waitFor();
  const { query } = store;
  store.query = () => Promise.reject(new Error('the database is away'));
  await page.getByText('Not up to date: the database is away').waitFor();
  expect(await page.locator('.row').count()).toBe(7);
  store.query = query;
  await expect.poll(() => page.getByText('Not up to date').count()).toBe(0);
  await page.goto(`${page.url().split('#')[0]}#/none`);
  await page.getByText('there is no such mail').waitFor();
});

test('it works at any path, and where what mounts it hides the path', async () => {
  const { outbox } = await fill();
  const handler = outbox.dashboard();
  await serveDashboard(outbox);
  const { port, close } = await serve(
    (request) => {
      const { search } = new URL(request.url);
      return handler(new Request(`http://127.0.0.1/${search}`, { headers: request.headers }));
    },
    '127.0.0.1',
    0,
  );
  try {
    for (const path of ['/', '/outbox', '/outbox/', '/deep/er/outbox']) {
      const page = await openPage(`http://127.0.0.1:${port}${path}`);
      await page.locator('.row').first().waitFor();
      await page.close();
    }
  } finally {
    await close();
  }
});

/** `SCREENSHOTS=docs/images npx vitest run test/outbox/dashboard.chromium` renews those of the docs. */
test.each(['light', 'dark'] as const)('docs show the page in %s', async (colorScheme) => {
  const { outbox, store, dummy } = await fill();
  dummy.refuse('gone@example.org', 550, '5.1.1');
  for (const subject of ['Welcome to Northwind', 'Your order NW-20418 is on its way', 'Your code is 715 204'])
    await outbox.enqueue(
      mail({ subject, to: subject.includes('code') ? 'tom.baker@example.org' : 'anna@example.org' }),
    );
  await outbox.flush({ lanes: ['transactional'] });
  await store.settle([], [{ lane: 'bulk', ms: 240_000, reason: '535 5.7.8 Username and password not accepted' }]);
  const options = { ...DESKTOP, colorScheme, deviceScaleFactor: 1.5 };
  const page = await openPage(await serveDashboard(outbox), options);
  await page.route(/do=overview/, async (route) => {
    const response = await route.fetch();
    const data = await response.json();
    await route.fulfill({ response, json: { ...data, samples: anHour(data.now) } });
  });
  await page.reload();
  await page.locator('.row').first().waitFor();
  await page.locator('.curve').first().waitFor({ state: 'attached' });
  const folder = process.env['SCREENSHOTS'];
  if (folder !== undefined) mkdirSync(folder, { recursive: true });
  const image = await page.screenshot(folder === undefined ? {} : { path: `${folder}/outbox-${colorScheme}.png` });
  expect(image.length).toBeGreaterThan(50_000);
});

/** What a process has seen in an hour in which a newsletter went out, and then its lane was paused. */
function anHour(now: number) {
  return Array.from({ length: 360 }, (_, place) => {
    const since = place / 360;
    const wave = Math.round(4 + 3 * Math.sin(since * 40) + 2 * Math.sin(since * 97));
    const news = since < 0.2 ? 0 : since < 0.3 ? (since - 0.2) * 1_200 : Math.max(2, 120 - (since - 0.3) * 190);
    const sent = [Math.round(since * 900), Math.round(Math.max(0, since - 0.25) * 400)];
    return [
      now - (360 - place) * 10_000,
      { transactional: [wave, 0, 1, 2, sent[0], 1, 0], bulk: [Math.round(news), 0, 3, 0, sent[1], 0, 0] },
    ];
  });
}
