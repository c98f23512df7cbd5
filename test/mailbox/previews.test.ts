import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Mailbox, startMailbox } from 'amsdal-mail/mailbox';
import { beforeEach, expect, onTestFinished, test } from 'vitest';

// What is built: a worker thread cannot load TypeScript.
let folder = '';
const write = (path: string, text: string): void => writeFileSync(join(folder, path), text);

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'previews-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
});

async function start(): Promise<Mailbox> {
  const mailbox = await startMailbox({ port: 0, smtpPort: null, previews: join(folder, 'emails') });
  onTestFinished(() => mailbox.close());
  return mailbox;
}

// biome-ignore lint/suspicious/noExplicitAny: the tests say what they expect of the JSON
const render = async ({ url }: Mailbox, name: string): Promise<any> =>
  (await fetch(`${url}/api/previews/${name}`)).json();

test('a thread is ended once it has answered or failed, and when the mailbox closes, whatever it keeps open', async () => {
  const threads: Socket[] = [];
  const server = createServer((socket) => threads.push(socket.on('error', () => {})));
  onTestFinished(() => void server.close());
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const address = server.address();
  const connect = `import { connect } from 'node:net';
    await new Promise((resolve) => connect(${typeof address === 'object' ? address?.port : 0}, '127.0.0.1', resolve));`;
  mkdirSync(join(folder, 'emails'));
  write('emails/answers.mjs', `${connect} export const preview = () => '<p>done</p>';`);
  write('emails/fails.mjs', `${connect} export const preview = () => { throw new Error('no data'); };`);
  write('emails/hangs.mjs', `${connect} export const preview = () => new Promise(() => {});`);
  const mailbox = await start();
  const isOver = async (index: number): Promise<void> => {
    await expect.poll(() => threads.length).toBeGreaterThan(index);
    const [socket] = threads.slice(index);
    await expect.poll(() => socket?.resume().closed).toBe(true);
  };
  expect((await render(mailbox, 'answers')).html).toContain('done');
  await isOver(0);
  expect((await render(mailbox, 'fails')).error.message).toContain('no data');
  await isOver(1);
  const hanging = render(mailbox, 'hangs').catch(() => null);
  await expect.poll(() => threads.length).toBe(3);
  await mailbox.close();
  await isOver(2);
  await hanging;
});

test('a preview in TypeScript is shown, or it is said which Node can', async () => {
  mkdirSync(join(folder, 'emails'));
  write('emails/typed.ts', 'export const preview = (): string => "<p>typed</p>";');
  write('emails/imports.mjs', 'export { preview } from "./typed.ts";');
  const mailbox = await start();
  const canStrip = Boolean(process.features['typescript' as keyof typeof process.features]); // newer than the types
  for (const name of ['typed', 'imports']) {
    const { html, error } = await render(mailbox, name);
    if (canStrip) expect(html.trim()).toBe('<p>typed</p>');
    else expect(error.message).toMatch(/\.ts" for .*typed\.ts\nNode runs TypeScript from 22\.18 .* this is v\d+/);
  }
});

test('a folder made after the start is seen, and its changes from then on', async () => {
  const mailbox = await start();
  const events = await fetch(`${mailbox.url}/api/events`);
  const reader = events.body?.pipeThrough(new TextDecoderStream()).getReader();
  const heard = async (): Promise<void> => {
    for (let text = ''; !text.includes('event: previews'); ) text += (await reader?.read())?.value ?? '';
  };
  const html = async (): Promise<string> => (await render(mailbox, 'welcome')).html;
  for (const title of ['one', 'two']) {
    mkdirSync(join(folder, 'emails'));
    await heard();
    write('emails/welcome.mjs', `export const preview = () => '<h1>${title}</h1>';`);
    await expect.poll(html).toContain(title);
    write('emails/welcome.mjs', `export const preview = () => '<h1>${title} anew</h1>';`);
    await expect.poll(html).toContain(`${title} anew`);
    rmSync(join(folder, 'emails'), { recursive: true });
  }
  await reader?.cancel();
});

test('what failed is tried anew, as the reason may lie outside the folder', async () => {
  mkdirSync(join(folder, 'emails'));
  write('emails/welcome.mjs', "import { title } from '../title.mjs'; export const preview = () => title;");
  const mailbox = await start();
  expect((await render(mailbox, 'welcome')).error.message).toContain('title.mjs');
  write('title.mjs', "export const title = 'found';");
  expect((await render(mailbox, 'welcome')).html.trim()).toBe('found');
});
