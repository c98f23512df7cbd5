// One case in a fresh process, so that its memory is its own: stream or promises, ours or nodemailer's; only the library
// that is measured is loaded.

const [how = 'stream', port = '0', count = '100000'] = process.argv.slice(2);
const COUNT = Number(count);

let peak = 0;
let blocked = 0;
let last = performance.now();
const watch = setInterval(() => {
  const now = performance.now();
  blocked = Math.max(blocked, now - last - 10);
  last = now;
  peak = Math.max(peak, process.memoryUsage.rss());
}, 10);

const mail = (index: number) => ({
  subject: `Your order ${index}`,
  fromEmail: 'shop@example.com',
});

async function run(): Promise<number> {
  const options = { host: '127.0.0.1', port: Number(port) };
  if (how === 'nodemailer') {
    const { createTransport } = await import('nodemailer');
    const transport = createTransport({
      ...options,
      pool: true,
      maxMessages: Number.POSITIVE_INFINITY,
      ignoreTLS: true,
    });
    const started = performance.now();
    const sending: Promise<unknown>[] = [];
    for (let index = 0; index < COUNT; index++) {
      const { subject, fromEmail } = mail(index);
      sending.push(
        transport.sendMail({ subject, from: fromEmail, text: 'Thank you.', to: `user${index}@example.com` }),
      );
    }
    const looped = performance.now() - started;
    await Promise.all(sending);
    transport.close();
    return looped;
  }
  const { getConnection, sendMail } = await import('../src/index.ts');
  await using connection = getConnection('smtp', options);
  const started = performance.now();
  if (how === 'stream') {
    const source = function* () {
      for (let index = 0; index < COUNT; index++) {
        yield { ...mail(index), body: 'Thank you.', to: `user${index}@example.com` };
      }
    };
    for await (const { error } of connection.stream(source())) if (error) throw error;
    return 0;
  }
  const sending: Promise<unknown>[] = [];
  for (let index = 0; index < COUNT; index++) {
    sending.push(
      sendMail({ ...mail(index), message: 'Thank you.', recipientList: [`user${index}@example.com`], connection }),
    );
  }
  const looped = performance.now() - started;
  last = performance.now(); // the caller's own loop is counted apart
  await Promise.all(sending);
  return looped;
}

const looped = await run();
await new Promise((resolve) => setTimeout(resolve, 20));
clearInterval(watch);
process.send?.({ peak: peak / 1024 ** 2, blocked, perCall: (looped * 1000) / COUNT });
process.disconnect();
