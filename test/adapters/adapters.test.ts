import 'reflect-metadata';
import type { AddressInfo } from 'node:net';
import { serve } from '@hono/node-server';
import { Controller, Inject, Module, Post } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import express from 'express';
import Fastify from 'fastify';
import { Hono } from 'hono';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { type ExpressMail, expressMail } from '../../src/adapters/express.ts';
import { fastifyMail } from '../../src/adapters/fastify.ts';
import { honoMail, type MailVariables } from '../../src/adapters/hono.ts';
import { MailModule } from '../../src/adapters/nest.ts';
import { type MailServiceOptions, ServerShutdown, ServerStartup } from '../../src/app.ts';
import { EmailBackend } from '../../src/backend/backend.ts';
import { sendMail } from '../../src/connection/send.ts';
import { SmtpServer } from '../../src/smtp-server/server.ts';

/** A busy machine takes more than the second that is usual. */
const WAIT = { timeout: 15_000 };

declare module 'fastify' {
  interface FastifyInstance {
    readonly mail: EmailBackend;
  }
}

/** A running application: its address, and how it is ended. */
interface Running {
  readonly url: string;
  close(): Promise<void>;
}

const mailTo = (connection: EmailBackend) =>
  sendMail({
    subject: 'Your order',
    message: 'Thanks.',
    fromEmail: 'shop@example.com',
    recipientList: ['ann@example.org'],
    connection,
  });

function addressOf(server: { address(): string | AddressInfo | null }): string {
  const address = server.address();
  return `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`;
}

const frameworks: Record<string, (options: MailServiceOptions) => Promise<Running>> = {
  async fastify(options) {
    const app = Fastify();
    // biome-ignore lint/nursery/noMisusedPromises: Fastify awaits what a plugin returns
    await app.register(fastifyMail, options);
    app.post('/orders', async () => (await mailTo(app.mail)).toJSON());
    const url = await app.listen({ host: '127.0.0.1', port: 0 });
    return { url, close: () => app.close() };
  },
  async express(options) {
    const app = express();
    const mail = await expressMail(options, app);
    app.use(mail);
    app.post('/orders', async (request, response) => {
      response.json((await mailTo((request as typeof request & ExpressMail).mail)).toJSON());
    });
    const server = app.listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    return {
      url: addressOf(server),
      async close() {
        await new Promise((resolve) => server.close(resolve));
        await mail.close();
      },
    };
  },
  async hono(options) {
    const mail = await honoMail(options);
    const app = new Hono<{ Variables: MailVariables }>();
    app.use(mail);
    app.post('/orders', async (c) => c.json((await mailTo(c.var.mail)).toJSON()));
    const server = serve({ fetch: app.fetch, hostname: '127.0.0.1', port: 0 });
    await new Promise((resolve) => server.once('listening', resolve));
    return {
      url: addressOf(server),
      async close() {
        await new Promise((resolve) => server.close(resolve));
        await mail.close();
      },
    };
  },
  async nest(options) {
    class Orders {
      readonly #mail: EmailBackend;
      constructor(mail: EmailBackend) {
        this.#mail = mail;
      }
      async create() {
        return (await mailTo(this.#mail)).toJSON();
      }
    }
    // What the decorators `@Controller()`, `@Inject(EmailBackend)` and `@Post('orders')` do, which the test's compiler does not know.
    Inject(EmailBackend)(Orders, undefined, 0);
    const create = Object.getOwnPropertyDescriptor(Orders.prototype, 'create');
    if (create) Post('orders')(Orders.prototype, 'create', create);
    Controller()(Orders);
    class AppModule {}
    Module({ imports: [MailModule.forRoot(options)], controllers: [Orders] })(AppModule);
    const app = await NestFactory.create(AppModule, { logger: false, abortOnError: false });
    await app.listen(0, '127.0.0.1');
    return { url: await app.getUrl(), close: () => app.close() };
  },
};

let server: SmtpServer;
const subjects: string[] = [];
beforeAll(async () => {
  server = await SmtpServer.start({
    onMessage: ({ bytes, envelope }) => {
      const subject = /^Subject: (.*)\r$/m.exec(Buffer.from(bytes).toString())?.[1] ?? '';
      subjects.push(`${subject} -> ${envelope.rcptTo.join()}`);
      return undefined;
    },
  });
});
afterAll(() => server.close());
beforeEach(() => {
  for (const name of Object.keys(process.env)) if (/^(?:AMSDAL|AWS)_/.test(name)) vi.stubEnv(name, undefined);
  vi.stubEnv('AMSDAL_EMAIL_URL', `smtp://127.0.0.1:${server.port}?idleMs=60000`);
});
afterEach(() => {
  vi.unstubAllEnvs();
  subjects.length = 0;
});

describe.each(Object.entries(frameworks))('%s', (_, start) => {
  test('a request sends a mail over the process’s connection, which closing the server closes', async () => {
    const told: string[] = [];
    const undo = [
      ServerStartup.subscribe((context, next) => {
        told.push(`startup ${context.server !== undefined}`);
        return next(context);
      }),
      ServerShutdown.subscribe((context, next) => {
        told.push(`shutdown ${context.signal}`);
        return next(context);
      }),
    ];
    const before = process.listenerCount('SIGTERM');
    const app = await start({ verify: true });
    const response = await fetch(`${app.url}/orders`, { method: 'POST' });
    const body: unknown = await response.json();
    expect(body).toMatchObject({ isSuccess: true, recipients: { 'ann@example.org': { status: 'sent' } } });
    expect(subjects).toEqual(['Your order -> ann@example.org']);
    expect(server.connections).toBe(1);
    await app.close();
    await vi.waitFor(() => expect(server.connections).toBe(0), WAIT);
    expect(told).toEqual(['startup true', 'shutdown null']);
    expect(process.listenerCount('SIGTERM')).toBe(before);
    for (const stop of undo) stop();
  });

  test('SIGTERM closes it, and the plugins are told which signal it was', async () => {
    const kill = vi.spyOn(process, 'kill').mockImplementation(() => true);
    const told: (string | null)[] = [];
    const undo = ServerShutdown.subscribe((context, next) => {
      told.push(context.signal);
      return next(context);
    });
    const others = process.listeners('SIGTERM');
    for (const other of others) process.off('SIGTERM', other);
    const app = await start({ verify: true });
    process.emit('SIGTERM', 'SIGTERM');
    await vi.waitFor(() => expect(kill).toHaveBeenCalledWith(process.pid, 'SIGTERM'), WAIT);
    expect(told).toEqual(['SIGTERM']);
    await app.close();
    expect(told).toEqual(['SIGTERM']);
    for (const other of others) process.on('SIGTERM', other);
    undo();
    kill.mockRestore();
  });

  test('a connection of its own', async () => {
    vi.stubEnv('AMSDAL_EMAIL_URL', 'dummy://');
    const app = await start({ connection: `smtp://127.0.0.1:${server.port}` });
    await fetch(`${app.url}/orders`, { method: 'POST' });
    await app.close();
    expect(subjects).toHaveLength(1);
  });

  test('does not start when mail must be possible and is not', async () => {
    const before = process.listenerCount('SIGTERM');
    const unreachable = await SmtpServer.start({ onConnect: () => '554 5.7.1 Not you' });
    await expect(start({ verify: true, connection: `smtp://127.0.0.1:${unreachable.port}` })).rejects.toMatchObject({
      code: 'greeting',
    });
    await expect(start({ connection: 'smtp://127.0.0.1:0' })).rejects.toMatchObject({ code: 'invalid-option' });
    await unreachable.close();
    expect(process.listenerCount('SIGTERM')).toBe(before);
  });
});

test('Nest: options from another provider', async () => {
  class Settings {
    readonly url = `smtp://127.0.0.1:${server.port}`;
  }
  class SettingsModule {}
  Module({ providers: [Settings], exports: [Settings] })(SettingsModule);
  class AppModule {}
  const mail = MailModule.forRootAsync({
    imports: [SettingsModule],
    inject: [Settings],
    useFactory: async (settings: Settings) => ({ connection: settings.url }),
  });
  Module({ imports: [mail] })(AppModule);
  const app = await NestFactory.createApplicationContext(AppModule, { logger: false });
  expect((await mailTo(app.get(EmailBackend))).isSuccess).toBe(true);
  expect(subjects).toHaveLength(1);
  await app.close();
});
