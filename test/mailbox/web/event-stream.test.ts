import { once } from 'node:events';
import { createServer, get, type ServerResponse } from 'node:http';
import { setImmediate } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import { EventStream } from '../../../src/mailbox/web/event-stream.ts';

test('a page that does not read is let go before much waits for it, and others hear on', async () => {
  const stream = new EventStream(() => ({}));
  const stalled: ServerResponse[] = [];
  let heard = '';
  const server = createServer((request, response) => {
    stream.add(response);
    if (request.url === '/stalled') stalled.push(response);
  });
  onTestFinished(() => void server.close());
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const address = server.address();
  const open = async (path: string): Promise<ReturnType<typeof get>> => {
    const asked = get({ host: '127.0.0.1', port: typeof address === 'object' ? address?.port : 0, path });
    const [answer] = await once(asked, 'response');
    asked.on('error', () => {}); // the page that is let go
    onTestFinished(() => void asked.destroy());
    if (path === '/reads')
      answer.setEncoding('utf8').on('data', (text: string) => (heard = (heard + text).slice(-100)));
    return asked;
  };
  await open('/stalled');
  await open('/reads');
  const [page] = stalled;
  let most = 0;
  for (let count = 0; count < 300 && page?.destroyed === false; count += 1) {
    stream.emit('change', { text: 'x'.repeat(500_000) });
    most = Math.max(most, page.writableLength);
    await setImmediate();
  }
  expect(page?.destroyed).toBe(true);
  expect(most).toBeLessThan(5_000_000);
  stream.emit('change', { text: 'the last one' });
  await expect.poll(() => heard).toContain('the last one');
});
