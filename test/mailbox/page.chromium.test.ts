import { mkdirSync, statSync } from 'node:fs';
import { createTransport } from 'nodemailer';
import { describe, expect, test } from 'vitest';
import { parseConnectionUrl } from '../../src/connection/url.ts';
import { MailboxBackend } from '../../src/mailbox/catch/mailbox-backend.ts';
import { catchMail } from './caught.ts';
import { DESKTOP, mailbox, openPage, PHONE, startPages, subjects } from './pages.ts';
import { SAMPLE_MAILS } from './sample-mails.ts';

startPages();

describe('mail arrives without a reload', () => {
  test('by SMTP', async () => {
    const page = await openPage();
    await page.getByText('Waiting for mail').first().waitFor();
    const transport = createTransport({
      host: '127.0.0.1',
      port: mailbox.smtp?.port ?? 0,
      tls: { rejectUnauthorized: false },
    });
    await transport.sendMail({ from: 'a@example.com', to: 'b@example.com', subject: 'By SMTP', text: 'x' });
    await page.locator('.row').getByText('By SMTP').waitFor();
    expect(await page.title()).toBe('(1) Mailbox');
    expect(await page.getByRole('status').textContent()).toBe('New message from a@example.com: By SMTP');
    transport.close();
  });

  test('by the backend', async () => {
    const page = await openPage();
    await page.getByText('Waiting for mail').first().waitFor();
    catchMail(mailbox, { subject: 'By the backend', tags: ['welcome'], bcc: ['hidden@example.com'] });
    await page.locator('.row').getByText('By the backend').click();
    await page.getByRole('tab', { name: 'Delivery' }).click();
    const rows = await page.locator('.facts tr').allInnerTexts();
    expect(rows.join('\n')).toContain('hidden@example.com Bcc');
    expect(await page.locator('.labels').innerText()).toBe('welcome');
  });
});

test('an inline image is shown in its own size', async () => {
  for (const mail of SAMPLE_MAILS) catchMail(mailbox, mail);
  const page = await openPage();
  await page.locator('.row').first().click();
  const image = page.frameLocator('.stage iframe').locator('img');
  await image.waitFor();
  expect(await image.evaluate((element) => (element instanceof HTMLImageElement ? element.naturalWidth : 0))).toBe(560);
});

test('searching narrows the list, and Esc opens it again', async () => {
  for (const mail of SAMPLE_MAILS) catchMail(mailbox, mail);
  const page = await openPage();
  await page.locator('.row').first().waitFor();
  await page.keyboard.press('/');
  await page.keyboard.type('from:billing has:attachment');
  await expect.poll(() => subjects(page)).toEqual(['Invoice 2026-0311']);
  await page.keyboard.press('Escape');
  await expect.poll(() => subjects(page)).toHaveLength(SAMPLE_MAILS.length);
});

test('the keyboard goes through the list, marks unread, deletes and helps', async () => {
  for (const subject of ['first', 'second', 'third']) catchMail(mailbox, { subject });
  const page = await openPage();
  await page.locator('.row').first().waitFor();
  const heading = page.locator('.mail-head h2');
  await page.keyboard.press('j');
  await expect.poll(() => heading.textContent()).toBe('third');
  await page.keyboard.press('j');
  await expect.poll(() => heading.textContent()).toBe('second');
  await page.keyboard.press('k');
  await expect.poll(() => heading.textContent()).toBe('third');
  await page.keyboard.press('#');
  await expect.poll(() => heading.textContent()).toBe('second');
  await expect.poll(() => subjects(page)).toEqual(['second', 'first']);
  await page.keyboard.press('u');
  await expect.poll(() => page.locator('.list-head').innerText()).toContain('2 unread');
  await page.keyboard.press('?');
  await page.getByRole('dialog', { name: 'Keyboard, search and API' }).waitFor();
  await page.keyboard.press('Escape');
  await page.getByRole('dialog').waitFor({ state: 'detached' });
});

test('in the list the arrows go through it and Del deletes, elsewhere they do what they do', async () => {
  for (const subject of ['first', 'second', 'third']) catchMail(mailbox, { subject });
  const page = await openPage();
  await page.locator('.row').first().waitFor();
  const heading = page.locator('.mail-head h2');
  for (const [key, subject] of [
    ['ArrowDown', 'third'],
    ['ArrowDown', 'second'],
    ['ArrowUp', 'third'],
    ['Delete', 'second'],
    ['ArrowDown', 'first'],
  ] as const) {
    await page.keyboard.press(key);
    await expect.poll(() => heading.textContent(), { message: key }).toBe(subject);
  }
  await page.locator('.row').first().focus(); // not the one that is open
  await page.keyboard.press('Delete');
  await expect.poll(() => subjects(page)).toEqual(['first']);
  await page.locator('#search').fill('first');
  await page.keyboard.press('Home');
  await page.keyboard.press('Delete');
  expect(await page.locator('#search').inputValue()).toBe('irst');
});

test('a search says what is no field', async () => {
  catchMail(mailbox, { subject: 'see https://example.com/x' });
  const page = await openPage();
  await page.locator('.row').first().waitFor();
  await page.locator('#search').fill('label:news has:attachments https://example.com/x');
  await page.getByText('label:news, has:attachments: looked for as text').waitFor();
  await page.locator('#search').fill('https://example.com/x');
  await expect.poll(() => page.locator('.list .notice').count()).toBe(0);
  expect(await subjects(page)).toHaveLength(1);
});

test('a long list of recipients says how many more there are, and shows them', async () => {
  const to = Array.from({ length: 132 }, (_, index) => `person${index}@example.com`);
  catchMail(mailbox, { to });
  const page = await openPage();
  await page.locator('.row').first().click();
  const people = page.locator('.people').filter({ hasText: 'To' });
  await people.getByRole('button', { name: '+124 more' }).click();
  await people.getByText('person99@example.com').waitFor();
  expect(await people.innerText()).toContain('and 32 more');
});

test('a screen shows a dozen mails and more', async () => {
  for (let index = 0; index < 20; index += 1) catchMail(mailbox, { subject: `Mail ${index}`, tags: ['welcome'] });
  const page = await openPage();
  await page.locator('.row').first().waitFor();
  for (const viewport of [DESKTOP.viewport, PHONE.viewport]) {
    await page.setViewportSize(viewport ?? { width: 0, height: 0 });
    const ends = await page
      .locator('.row')
      .evaluateAll((rows) => rows.map((row) => row.getBoundingClientRect().bottom));
    expect(ends.filter((end) => end <= (viewport?.height ?? 0)).length).toBeGreaterThanOrEqual(12);
  }
});

test('the empty page says what reaches this mailbox', async () => {
  const page = await openPage();
  const port = new URL(mailbox.url).port;
  await page.getByText(`AMSDAL_EMAIL_URL='mailbox://?port=${port}'`).waitFor();
  const command = await page.getByLabel('try it', { exact: true }).innerText();
  expect(command).toContain(`npx amsdal-mail send --url 'smtp://127.0.0.1:${mailbox.smtp?.port}'`);
  const options = parseConnectionUrl(`mailbox://?port=${port}`, MailboxBackend.optionTable);
  const connection = new MailboxBackend(options);
  await connection.sendMessages([{ subject: 'Reached', body: 'x', fromEmail: 'a@example.com', to: 'b@example.com' }]);
  await page.locator('.row').getByText('Reached').waitFor();
});

test('all mails are deleted after a question', async () => {
  for (const subject of ['first', 'second']) catchMail(mailbox, { subject });
  const page = await openPage();
  await page.getByRole('button', { name: 'Clear all' }).click();
  await page.getByRole('button', { name: 'Delete', exact: true }).click();
  await page.getByText('Nothing caught yet.').waitFor();
});

test('the HTML is shown at three widths, in light and dark', async () => {
  for (const mail of SAMPLE_MAILS) catchMail(mailbox, mail);
  const page = await openPage({ ...DESKTOP, viewport: { width: 1600, height: 900 } });
  await page.locator('.row').first().click();
  const frame = page.locator('.stage iframe');
  await frame.waitFor();
  const width = async (): Promise<number> => (await frame.boundingBox())?.width ?? 0;
  await page.getByRole('button', { name: 'Phone, 375 pixels' }).click();
  expect(await width()).toBe(375);
  await page.getByRole('button', { name: 'Tablet, 768 pixels' }).click();
  expect(await width()).toBe(768);
  await page.getByRole('button', { name: 'Full width' }).click();
  expect(await width()).toBeGreaterThan(900);
  const color = () =>
    page
      .frameLocator('.stage iframe')
      .locator('.card')
      .evaluate((element) => getComputedStyle(element).backgroundColor);
  expect(await color()).toBe('rgb(255, 255, 255)');
  await page.getByRole('button', { name: 'Dark mail' }).click();
  await expect.poll(color).toBe('rgb(34, 36, 43)');
});

test('every view of a message has what it is named after', async () => {
  for (const mail of SAMPLE_MAILS) catchMail(mailbox, mail);
  const page = await openPage();
  await page.locator('.row').first().click();
  const contents: readonly [string, string][] = [
    ['Text', 'Your order NW-20418 is being roasted'],
    ['Headers', 'Message-ID'],
    ['Source', 'Content-Transfer-Encoding'],
    ['Structure', 'multipart/alternative'],
    ['Delivery', 'archive@northwind.example'],
    ['Links', 'https://northwind.example/orders/NW-20418'],
    ['Checks', 'There is no List-Unsubscribe header'],
  ];
  for (const [name, text] of contents) {
    await page.getByRole('tab', { name }).click();
    await page.locator('#panel').getByText(text).first().waitFor();
  }
  await page.getByRole('button', { name: /^banner.svg/ }).click();
  await page.locator('.file-image').waitFor();
  await page.keyboard.press('Escape');
  const download = page.waitForEvent('download');
  await page.getByRole('link', { name: 'Download .eml' }).click();
  expect((await download).suggestedFilename()).toBe('Your order NW-20418 is being roasted.eml');
});

test('chaos is switched on in the page and refuses recipients', async () => {
  const page = await openPage();
  await page.getByRole('button', { name: 'Chaos', exact: true }).click();
  await page.getByRole('slider', { name: /Refuse/ }).fill('100');
  await page.locator('output').getByText('100 %').waitFor();
  expect(catchMail(mailbox, {}).refused).toEqual({ 'bob@example.com': 550 });
});

test('a phone shows the list, then the message, and goes back', async () => {
  for (const mail of SAMPLE_MAILS) catchMail(mailbox, mail);
  const page = await openPage(PHONE);
  await page.locator('.row').first().click();
  await page.locator('.mail-head h2').waitFor();
  expect(await page.locator('.sidebar').isVisible()).toBe(false);
  expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(390);
  await page.getByRole('button', { name: 'Back to the list' }).click();
  await page.locator('.row').first().waitFor();
});

test('an address that means nothing shows the list', async () => {
  for (const mail of SAMPLE_MAILS) catchMail(mailbox, mail);
  const page = await openPage();
  await page.goto(`${mailbox.url}/#/%`);
  await page.reload();
  await page.locator('.row').first().waitFor();
});

test('what has the focus shows it', async () => {
  catchMail(mailbox, {});
  const page = await openPage();
  await page.locator('.row').first().waitFor();
  const shown: boolean[] = [];
  for (let count = 0; count < 8; count += 1) {
    await page.keyboard.press('Tab');
    shown.push(
      await page.evaluate(() => {
        const { outlineStyle, boxShadow } = getComputedStyle(document.activeElement ?? document.body);
        return outlineStyle !== 'none' || boxShadow !== 'none';
      }),
    );
  }
  expect(shown).toEqual(shown.map(() => true));
});

/** `SCREENSHOTS=docs/images npx vitest run test/mailbox/page.chromium` renews those of README. */
test.each(['light', 'dark'] as const)('README shows the page in %s', async (colorScheme) => {
  for (const mail of SAMPLE_MAILS) catchMail(mailbox, mail);
  const page = await openPage({ ...DESKTOP, colorScheme, deviceScaleFactor: 1.5 });
  await page.locator('.row').first().click();
  await page.frameLocator('.stage iframe').locator('img').waitFor();
  const folder = process.env['SCREENSHOTS'];
  if (folder !== undefined) mkdirSync(folder, { recursive: true });
  const path = folder === undefined ? undefined : `${folder}/mailbox-${colorScheme}.png`;
  const image = await page.screenshot(path === undefined ? {} : { path });
  expect(image.length).toBeGreaterThan(50_000);
  if (path !== undefined) expect(statSync(path).size).toBe(image.length);
});
