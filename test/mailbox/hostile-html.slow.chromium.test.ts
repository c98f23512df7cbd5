import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import type { MailboxServer } from '../../src/mailbox/mailbox.ts';
import { startMailbox } from '../../src/mailbox/mailbox.ts';
import { catchSource } from './caught.ts';
import { launchChromium } from './chromium.ts';

/** A server that no mail may reach: it notes every connection, with or without a request. */
let canary: Server;
let url = '';
let noticed: string[] = [];
let mailbox: MailboxServer;
let browser: Browser;
let page: Page;

beforeAll(async () => {
  canary = createServer((request, response) => {
    noticed.push(`${request.method} ${request.url}`);
    response.setHeader('access-control-allow-origin', '*');
    response.end('caught');
  });
  canary.on('connection', () => noticed.push('connection'));
  canary.listen(0, '127.0.0.1');
  await once(canary, 'listening');
  url = `http://127.0.0.1:${(canary.address() as AddressInfo).port}`; // it listens on TCP
  mailbox = (await startMailbox({ port: 0, smtpPort: null })) as MailboxServer; // the class behind the interface
  browser = await launchChromium();
  page = await browser.newPage();
});

afterAll(async () => {
  await browser.close();
  await mailbox.close();
  canary.closeAllConnections();
  await new Promise((resolve) => canary.close(resolve));
});

beforeEach(() => {
  noticed = [];
});

/** Each asks for `CANARY` in its own way, as soon as it is shown. */
const ATTACKS: Readonly<Record<string, string>> = {
  script: '<script>fetch("CANARY/x"); new Image().src="CANARY/x"; top.location="CANARY/x"</script>',
  'script from elsewhere': '<script src="CANARY/x.js"></script><script type="module" src="CANARY/x.mjs"></script>',
  'event handlers': '<img src="data:," onerror="location=\'CANARY/x\'"><body onload="fetch(\'CANARY/x\')">',
  'a focused handler': '<input autofocus onfocus="fetch(\'CANARY/x\')"><details open ontoggle="fetch(\'CANARY/x\')">',
  'svg script':
    '<svg xmlns="http://www.w3.org/2000/svg" onload="fetch(\'CANARY/x\')"><script>fetch("CANARY/x")</script></svg>',
  'svg references': '<svg><image href="CANARY/x.png"/><use href="CANARY/x.svg#a"/><a href="CANARY/x"><rect/></a></svg>',
  'meta refresh': '<meta http-equiv="refresh" content="0;url=CANARY/x">',
  base: '<base href="CANARY/"><img src="x.png"><link rel="stylesheet" href="x.css">',
  form: '<form action="CANARY/x"><input name=a></form><script>document.forms[0].submit()</script>',
  'form button': '<form id=f></form><button form=f formaction="CANARY/x" autofocus>x</button>',
  iframe:
    '<iframe src="CANARY/x"></iframe><iframe srcdoc="<img src=CANARY/x><script>fetch(\'CANARY/x\')</script>"></iframe>',
  frameset: '<frameset cols="*"><frame src="CANARY/x"></frameset>',
  object: '<object data="CANARY/x"></object><embed src="CANARY/x"><applet code="CANARY/x"></applet>',
  '@import': '<style>@import url("CANARY/x.css"); @import "CANARY/y.css";</style>',
  stylesheet: '<link rel="stylesheet" href="CANARY/x.css">',
  fonts: '<style>@font-face{font-family:x;src:url(CANARY/x.woff2)}*{font-family:x}</style><p>x</p>',
  'css images': '<div style="background:url(CANARY/x.png);list-style:url(CANARY/y);cursor:url(CANARY/z),auto">x</div>',
  'css image-set': '<style>p{content:image-set("CANARY/x" 1x);border-image:url(CANARY/y)}</style><p>x</p>',
  images: '<img src="CANARY/x.png"><img srcset="CANARY/y.png 2x"><picture><source srcset="CANARY/z"><img></picture>',
  'old images': '<body background="CANARY/x"><table background="CANARY/y"><input type="image" src="CANARY/z">',
  media:
    '<video src="CANARY/x" autoplay poster="CANARY/y"></video><audio src="CANARY/z" autoplay></audio><track src="CANARY/t">',
  prefetch:
    '<link rel="prefetch" href="CANARY/x"><link rel="prerender" href="CANARY/x"><link rel="preload" as="image" href="CANARY/y">',
  modulepreload:
    '<link rel="modulepreload" href="CANARY/x.js"><link rel="icon" href="CANARY/y"><link rel="manifest" href="CANARY/z">',
  preconnect: '<link rel="preconnect" href="CANARY"><link rel="dns-prefetch" href="CANARY">',
  'speculation rules': '<script type="speculationrules">{"prefetch":[{"urls":["CANARY/x"]}]}</script>',
  'a policy of its own':
    '<meta http-equiv="Content-Security-Policy" content="default-src * \'unsafe-inline\'"><img src="CANARY/x"><script>fetch("CANARY/x")</script>',
  mathml: '<math href="CANARY/x"><mi xlink:href="CANARY/x">x</mi></math><svg><animate href="CANARY/x"/></svg>',
  'data frames': '<iframe src="data:text/html,<script>fetch(\'CANARY/x\')</script><img src=CANARY/x>"></iframe>',
  'a bad cid': "<img src=\"cid:x onerror=fetch('CANARY/x')\"><img src='cid:\"><img src=CANARY/x>'>",
  'the API':
    '<img src="/api/messages"><script src="/api/messages"></script><form action="/api/messages" method="post"></form>',
};

test('the canary notices what is not held back', async () => {
  const open = await browser.newPage();
  await open.setContent(`<img src="${url}/x.png">`);
  await expect.poll(() => noticed).toContain('GET /x.png');
  await open.close();
});

/** Waits until the mail is shown, and then for what it may do. */
async function waitForHarm(id: string, scheme: 'light' | 'dark'): Promise<void> {
  await page.frameLocator(`iframe[src*="${id}"][src*="${scheme}"]`).locator('html').waitFor({ state: 'attached' });
  await page.evaluate(() => new Promise((resolve) => setTimeout(resolve, 250)));
}

test.each(Object.entries(ATTACKS))('%s reaches nobody', async (_, attack) => {
  const id = catchSource(
    mailbox,
    `Subject: x\nContent-Type: text/html; charset=utf-8\n\n<!doctype html><p>harmless</p>${attack.replaceAll('CANARY', url)}`,
  );
  await page.goto(`${mailbox.url}/#/${id}`);
  await waitForHarm(id, 'light');
  await page.getByRole('button', { name: 'Dark mail' }).click();
  await waitForHarm(id, 'dark');
  await page.getByRole('button', { name: 'Dark mail' }).click();
  expect(noticed).toEqual([]);
  expect(page.url()).toBe(`${mailbox.url}/#/${id}`);
  expect(page.context().pages()).toHaveLength(1);
});

test.each([
  ['javascript:', `<a id=a href="javascript:location='CANARY/x'">x</a>`],
  ['javascript: in a new window', `<a id=a target=_blank href="javascript:location='CANARY/x'">x</a>`],
  ['into the page', '<a id=a target=_top href="CANARY/x">x</a>'],
  ['into the frame', '<a id=a target=_self href="CANARY/x">x</a>'],
  ['into the API', '<a id=a target=_self href="/api/messages">x</a>'],
])('a click on a link %s reaches nobody', async (_, attack) => {
  const id = catchSource(mailbox, `Content-Type: text/html\n\n${attack.replaceAll('CANARY', url)}`);
  await page.goto(`${mailbox.url}/#/${id}`);
  await page.frameLocator('.stage iframe').locator('#a').click();
  await page.evaluate(() => new Promise((resolve) => setTimeout(resolve, 300))); // time to do harm
  expect(noticed.filter((entry) => entry !== 'connection')).toEqual([]); // a browser may connect when a button is pressed
  expect(page.url()).toBe(`${mailbox.url}/#/${id}`);
  const [, frame] = page.frames();
  expect(await frame?.content().catch(() => '')).not.toContain('"messages"');
  for (const popup of page.context().pages().slice(1)) await popup.close();
});

test('remote images are shown when the user says so, and nothing else is', async () => {
  const id = catchSource(
    mailbox,
    `Content-Type: text/html\n\n<img src="${url}/logo.png"><link rel=stylesheet href="${url}/x.css"><script src="${url}/x.js"></script>`,
  );
  await page.goto(`${mailbox.url}/#/${id}`);
  await page.getByRole('button', { name: /remote image/ }).click();
  await expect.poll(() => noticed.filter((entry) => entry !== 'connection')).toEqual(['GET /logo.png']);
});

test('a page of another origin reads and changes nothing', async () => {
  catchSource(mailbox, 'Subject: secret\n\nx');
  const evil = await browser.newPage();
  await evil.goto(`${url}/evil`);
  const attempts = await evil.evaluate(async (target) => {
    const tries: [string, RequestInit][] = [
      ['/api/messages', {}],
      ['/api/messages', { mode: 'no-cors' }],
      ['/api/messages', { method: 'DELETE' }],
      ['/api/messages', { method: 'POST', mode: 'no-cors', body: '{}' }],
      ['/api/chaos', { method: 'PUT', body: '{"refuse":100}', headers: { 'content-type': 'application/json' } }],
    ];
    return Promise.all(
      tries.map(async ([path, init]) => {
        try {
          return await (await fetch(target + path, init)).text();
        } catch (error) {
          return String(error);
        }
      }),
    );
  }, mailbox.url);
  for (const answer of attempts) expect(answer).not.toContain('secret');
  const stream = await evil.evaluate(
    (target) =>
      new Promise((resolve) => {
        const source = new EventSource(`${target}/api/events`);
        source.onerror = () => resolve('refused');
        source.onopen = () => resolve('open');
      }),
    mailbox.url,
  );
  expect(stream).toBe('refused');
  await evil.setContent(`<iframe src="${mailbox.url}/"></iframe>`, { waitUntil: 'load' });
  expect(await evil.frames()[1]?.content()).not.toContain('Mailbox');
  await evil.close();
  const { total } = await (await fetch(`${mailbox.url}/api/messages`)).json();
  expect(total).toBeGreaterThan(0);
  expect((await (await fetch(`${mailbox.url}/api/chaos`)).json()).refuse).toBe(0);
});
