import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import type { AddressInfo, Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SMTPServer } from 'smtp-server';
import type { DeliveryResult, Job } from '../../../src/backend/job.ts';
import { DummyBackend } from '../../../src/backends/dummy.ts';
import { FileBackend } from '../../../src/backends/file.ts';
import { SesBackend } from '../../../src/backends/ses.ts';
import { SmtpBackend } from '../../../src/backends/smtp.ts';
import { composeMessage } from '../../../src/mime/compose/compose.ts';
import { EmailConnectionError } from '../../../src/model/errors.ts';
import type { ContractFactory } from '../../../src/testing/contract/backend-contract.ts';
import type { ContractBackend, ContractDelivery, ContractSubject } from '../../../src/testing/contract/subject.ts';
import { createInbox } from '../../../src/testing/inbox/inbox.ts';
import { ScriptedSmtpServer } from '../../../src/testing/server/scripted-smtp-server.ts';
import { StrictSes } from '../../servers/strict-ses.ts';

/** How many failures are planned when a provider that counts them is to fail from now on. */
const MANY = 100;

/** The dummy backend, and what it kept. */
export const dummySubject: ContractFactory = () => {
  const backend = new DummyBackend({ store: true });
  const refused = new Set<string>();
  return {
    backend,
    received: () =>
      backend.messages.map((message) => ({
        recipients: message.recipients.map(({ address }) => address).filter((address) => !refused.has(address)),
        source: composeMessage(message),
      })),
    refuse: (address) => {
      refused.add(address);
      backend.refuse(address);
    },
    breakDown: () => {
      const error = new EmailConnectionError('closed', 'the provider broke off', { retryable: true });
      for (let count = 0; count < MANY; count++) backend.failNext(error);
    },
  };
};

/** The inbox of tests. */
export const inboxSubject: ContractFactory = () => {
  const backend = createInbox();
  return {
    backend,
    received: () => backend.messages.map(({ recipients, bytes }) => ({ recipients, source: bytes })),
    refuse: (address) => backend.refuse(address),
    breakDown: () => {
      for (let count = 0; count < MANY; count++) backend.failNext({ code: 'closed' });
    },
    stall: () => backend.delay(3_600_000),
  };
};

/** A file has no envelope: whom it is for is noted beside. */
class NotedFileBackend extends FileBackend {
  readonly recipients = new Map<string, readonly string[]>();

  protected override async deliverOne(job: Job): Promise<DeliveryResult> {
    const result = await super.deliverOne(job);
    if (typeof result.espResponse === 'string') this.recipients.set(result.espResponse, [...result.recipients.keys()]);
    return result;
  }
}

/** The file backend, and its folder. */
export const fileSubject: ContractFactory = () => {
  const root = mkdtempSync(join(tmpdir(), 'contract-'));
  const path = join(root, 'mails');
  const backend = new NotedFileBackend({ path });
  return {
    backend,
    received: () => [...backend.recipients].map(([file, recipients]) => ({ recipients, source: readFileSync(file) })),
    breakDown: () => writeFileSync(path, 'no folder'),
    close: () => {
      if (readdirSync(root).length > 0) rmSync(path, { recursive: true });
      rmSync(root, { recursive: true });
    },
  };
};

/** A backend that sends to a scripted server. */
export async function smtpSubject(
  connect: (server: ScriptedSmtpServer) => ContractBackend = ({ host, port }) => new SmtpBackend({ host, port }),
): Promise<ContractSubject> {
  const server = await ScriptedSmtpServer.start();
  const refused = new Set<string>();
  server.on('RCPT', ({ argument }) =>
    [...refused].some((address) => argument.includes(`<${address}>`)) ? '550 5.1.1 No such user' : undefined,
  );
  return {
    backend: connect(server),
    received: () => server.messages.map(({ envelope, bytes }) => ({ recipients: envelope.rcptTo, source: bytes })),
    refuse: (address) => void refused.add(address),
    breakDown: () => void server.on('MAIL', '451 4.3.0 Out of order'),
    stall: () =>
      new Promise((resolve) => {
        server.on('MAIL', () => {
          resolve();
          return {};
        });
      }),
    loseAnswers: () => void server.on('message', { end: 'rst' }),
    close: () => server.close(),
  };
}

/** The SMTP backend, and the server of the package smtp-server, which is not ours. */
export const smtpServerSubject: ContractFactory = async () => {
  const deliveries: ContractDelivery[] = [];
  const refused = new Set<string>();
  const sockets = new Set<Socket>();
  let mood: 'well' | 'broken' | 'silent' | 'rude' = 'well';
  const server = new SMTPServer({
    authOptional: true,
    disabledCommands: ['STARTTLS'],
    onMailFrom: (_, __, answer) => {
      if (mood === 'broken') answer(Object.assign(new Error('Out of order'), { responseCode: 451 }));
      else if (mood !== 'silent') answer();
    },
    onRcptTo: ({ address }, _, answer) =>
      refused.has(address) ? answer(Object.assign(new Error('No such user'), { responseCode: 550 })) : answer(),
    onData: async (stream, { envelope }, answer) => {
      const chunks: Buffer[] = [];
      for await (const chunk of stream) chunks.push(chunk);
      deliveries.push({ recipients: envelope.rcptTo.map(({ address }) => address), source: Buffer.concat(chunks) });
      if (mood === 'rude') for (const socket of sockets) socket.resetAndDestroy();
      else answer();
    },
  });
  server.on('error', () => {}); // of connections that are cut
  server.server.on('connection', (socket: Socket) => sockets.add(socket.on('error', () => {})));
  const { port } = await new Promise<AddressInfo>((resolve) => {
    const listening = server.listen(0, '127.0.0.1', () => resolve(listening.address() as AddressInfo)); // it is TCP
  });
  return {
    backend: new SmtpBackend({ host: '127.0.0.1', port }),
    received: () => deliveries,
    refuse: (address) => void refused.add(address),
    breakDown: () => {
      mood = 'broken';
    },
    stall: () => {
      mood = 'silent';
    },
    loseAnswers: () => {
      mood = 'rude';
    },
    close: () => {
      for (const socket of sockets) socket.destroy();
      return new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
};

let accounts = 0;

/** The SES backend, and a strict local SES. */
export const sesSubject: ContractFactory = async () => {
  const ses = await StrictSes.start();
  const backend = new SesBackend({
    endpoint: ses.endpoint,
    accessKeyId: `AKIDCONTRACT${++accounts}`,
    secretAccessKey: 'k',
    retry: { attempts: 2, baseMs: 1, maxMs: 2 },
  });
  const refused = new Set<string>();
  ses.script = ({ mails }) =>
    mails.flat().some((address) => refused.has(address))
      ? { name: 'MessageRejected', message: 'Address is on the suppression list' }
      : undefined;
  return {
    backend,
    received: () => ses.accepted.map(({ recipients, raw }) => ({ recipients, source: raw ?? new Uint8Array() })),
    refuse: (address) => void refused.add(address),
    breakDown: () => {
      ses.script = () => ({ name: 'AccountSuspendedException', message: 'suspended', status: 400 });
    },
    stall: () => {
      ses.script = () => ({ cut: 'hang' });
    },
    loseAnswers: () => {
      ses.script = () => ({ cut: 'reset', accepts: true });
    },
    close: () => ses.close(),
  };
};
