import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import type { MailFacts } from '../../src/outbox/facts.ts';
import { DESKTOP, openPage, putInto, serveDashboard, startBrowser } from './dashboard-pages.ts';
import { setUp } from './outbox-set-up.ts';

startBrowser();

/** Each would run a script, ask another server, or leave the page, where it were taken for more than text. */
const ATTACKS = [
  '<script>globalThis.harm = 1</script>',
  '<img src=x onerror="globalThis.harm = 1">',
  '"><svg onload=globalThis.harm=1>',
  "' autofocus onfocus='globalThis.harm=1",
  '</title></style></textarea><script>globalThis.harm=1</script>',
  'javascript:globalThis.harm=1//',
  '<iframe srcdoc="<script>top.harm=1</script>">',
  '<style>@import url(http://192.0.2.1/x)</style><link rel=stylesheet href=http://192.0.2.1/x>',
  '<form action=http://192.0.2.1><input autofocus><meta http-equiv=refresh content="0;url=http://192.0.2.1">',
  '{{globalThis.harm=1}}<!--',
  '__proto__',
  'constructor',
];

test.each(ATTACKS)('%s is text in every field', async (attack) => {
  const lane = `lane ${attack}`;
  const { outbox, store } = setUp({ lanes: { [lane]: {}, bulk: {} } });
  const recipient = {
    status: 'failed',
    isOpen: true,
    code: 550,
    enhancedCode: attack,
    response: `said ${attack}`,
  } as const;
  const facts: MailFacts = {
    ...{ from: `from ${attack}`, subject: `subject ${attack}`, messageId: `id ${attack}` },
    recipients: [{ address: `to ${attack}`, messageId: attack, via: `via ${attack}`, ...recipient }],
    events: [{ at: new Date().toISOString(), what: 'tried', text: `event ${attack}` }],
    traceparent: null,
  };
  const id = '0mx30000000000000000000001';
  const mail = {
    ...{ id, key: `key ${attack}`, lane, priority: 0, orderKey: `order ${attack}`, dueAt: null, messageId: attack },
    onDoubt: 'hold',
    ...{ facts: JSON.stringify(facts), content: new Uint8Array(), blobs: [] },
  } as const;
  await store.enqueue([mail], {});
  await putInto(store, [id], 'in-doubt', mail.facts);
  await store.settle([], [{ lane, ms: 60_000, reason: `reason ${attack}` }]);
  const url = await serveDashboard(outbox);
  const page = await openPage(url);
  await page.getByText(`reason ${attack}`).waitFor();
  const elements = async () =>
    page
      .locator(
        'script, style, iframe, img:not([src="?file=outbox.svg"]), form, meta[http-equiv], [onerror], [onload], [onfocus]',
      )
      .count();
  expect(await elements()).toBe(1); // the page's own script
  await page.goto(`${url}#/mails`);
  await page.locator('.row .subject').getByText(`subject ${attack}`, { exact: true }).waitFor();
  expect(await page.locator('.row .who').textContent()).toBe(`to ${attack}`);
  await page.locator('#search').fill(`subject ${attack}`);
  await expect.poll(() => page.locator('.row').count()).toBe(1);
  await page.locator('.row').click();
  await page.locator('.mail-head h2').getByText(`subject ${attack}`, { exact: true }).waitFor();
  const shown = await page.locator('article').innerText();
  for (const field of ['from', 'id', 'to', 'via', 'said', 'event', 'key', 'order', 'lane'])
    expect(shown.replace(/\s+/g, ' ')).toContain(`${field} ${attack}`.replace(/\s+/g, ' '));
  await page.getByRole('button', { name: 'Send again' }).click();
  await page.getByRole('dialog').waitFor();
  expect(await elements()).toBe(1);
  expect(await page.evaluate(() => 'harm' in globalThis)).toBe(false);
  expect(page.url()).toBe(`${url}#/${id}`);
});

test('a page of another origin reads and changes nothing', async () => {
  const { outbox } = setUp();
  const [written] = await outbox.enqueue({
    subject: 'secret',
    body: 'x',
    fromEmail: 'a@example.com',
    to: 'b@example.org',
  });
  const target = await serveDashboard(outbox);
  const evil = createServer((_, response) => response.setHeader('content-type', 'text/html').end('<p>evil'));
  evil.listen(0, '127.0.0.1');
  await once(evil, 'listening');
  onTestFinished(() => {
    evil.closeAllConnections();
    evil.close();
  });
  const origin = `http://127.0.0.1:${(evil.address() as AddressInfo).port}`; // it listens on TCP
  const page = await openPage('about:blank', DESKTOP, /./);
  await page.goto(origin);
  const wish = JSON.stringify({ action: 'cancel', ids: [written?.id] });
  const answers = await page.evaluate(
    async ([url, body]) => {
      const json = { 'content-type': 'application/json', 'x-amsdal-mail': 'outbox' };
      const tries: [string, RequestInit][] = [
        ['?do=overview', {}],
        ['?do=list', { mode: 'no-cors' }],
        ['?do=decide', { method: 'POST', body: body ?? '', headers: json }],
        ['?do=decide', { method: 'POST', body: body ?? '', mode: 'no-cors' }],
        ['?do=decide', { method: 'POST', body: body ?? '', mode: 'no-cors', credentials: 'include' }],
      ];
      const form = document.createElement('form');
      form.method = 'post';
      form.action = `${url}?do=decide`;
      form.target = 'frame';
      form.enctype = 'text/plain';
      const field = document.createElement('input');
      field.name = body ?? '';
      const frame = document.createElement('iframe');
      frame.name = 'frame';
      form.append(field);
      document.body.append(form, frame);
      const loaded = new Promise((resolve) => frame.addEventListener('load', resolve));
      form.submit();
      await loaded;
      return Promise.all(
        tries.map(([query, init]) =>
          fetch(url + query, init).then(
            (answer) => answer.text(),
            (error) => String(error),
          ),
        ),
      );
    },
    [target, wish] as const,
  );
  for (const answer of answers) expect(answer).not.toContain('secret');
  await page.setContent(`<iframe src="${target}"></iframe>`, { waitUntil: 'load' });
  expect(
    (await page
      .frames()[1]
      ?.content()
      .catch(() => '')) ?? '',
  ).not.toContain('Outbox');
  expect((await outbox.get(written?.id ?? ''))?.state).toBe('queued');
});
