// @ts-check
// Sends one mail through a backend that is all it imports: node test/wrappers/alone-child.js NAME FOLDER HOST PORT
import { argv, stdout } from 'node:process';

const [, , name = '', path = '', host = '', port] = argv;
const mail = { subject: 'Hello', body: 'Text', fromEmail: 'shop@example.com', to: 'ann@customer.org' };

/** @type {Record<string, () => Promise<string>>} */
const senders = {
  async dummy() {
    const { DummyBackend } = await import('amsdal-mail/dummy');
    const backend = new DummyBackend({ store: true });
    await backend.sendMessages([mail]);
    return String(backend.messages[0]?.to);
  },
  async console() {
    const { ConsoleBackend } = await import('amsdal-mail/console');
    await new ConsoleBackend().sendMessages([mail]);
    return '';
  },
  async file() {
    const { FileBackend } = await import('amsdal-mail/file');
    await new FileBackend({ path }).sendMessages([mail]);
    return '';
  },
  async smtp() {
    const { SmtpBackend } = await import('amsdal-mail/smtp');
    const backend = new SmtpBackend({ host, port: Number(port) });
    await backend.sendMessages([mail]);
    await backend.close();
    return '';
  },
};

stdout.write((await senders[name]?.()) ?? 'unknown');
