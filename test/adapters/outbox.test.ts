import 'reflect-metadata';
import type { AddressInfo } from 'node:net';
import { serve } from '@hono/node-server';
import { Controller, Get, Inject, Module, Post } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { HealthCheckService, TerminusModule } from '@nestjs/terminus';
import express from 'express';
import Fastify from 'fastify';
import { Hono } from 'hono';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { type ExpressOutbox, expressMail } from '../../src/adapters/express.ts';
import { type FastifyOutbox, fastifyMail } from '../../src/adapters/fastify.ts';
import { honoMail, type OutboxVariables } from '../../src/adapters/hono.ts';
import { MailModule, OutboxHealthIndicator } from '../../src/adapters/nest.ts';
import type { MailServiceOptions } from '../../src/app.ts';
import { EmailBackend } from '../../src/backend/backend.ts';
import type { DeliveryResult, Job } from '../../src/backend/job.ts';
import { sameForAll } from '../../src/backend/job.ts';
import type { MadeOutbox } from '../../src/connection/outbox.ts';
import { memoryStore, Outbox } from '../../src/connection/outbox.ts';
import { EmailConnectionError } from '../../src/model/errors.ts';
import type { Feature } from '../../src/model/features.ts';

/** A busy machine takes more than the second that is usual. */
const WAIT = { timeout: 15_000 };
const MAIL = { subject: 'Welcome', body: 'Hello', fromEmail: 'shop@example.com', to: 'jane@example.org' };

declare module 'fastify' {
  interface FastifyInstance extends FastifyOutbox {}
}

/** A connection that has a mail until it is let go. */
class SlowBackend extends EmailBackend {
  readonly name = 'slow';
  protected readonly features: ReadonlySet<Feature> = new Set();
  readonly sent: string[] = [];
  readonly #waiting: (() => void)[] = [];

  get waiting(): number {
    return this.#waiting.length;
  }

  letGo(): void {
    for (const go of this.#waiting.splice(0)) go();
  }

  protected override async deliverOne({ index, message }: Job): Promise<DeliveryResult> {
    await new Promise<void>((resolve) => this.#waiting.push(resolve));
    this.sent.push(message.subject);
    return { index, messageId: null, recipients: sameForAll(message, 'sent') };
  }
}

/** A running application, whose POST /sign-up writes a mail down in the outbox that it is given; null tells that there is none. */
interface Running {
  readonly url: string;
  close(): Promise<void>;
}

const addressOf = (server: { address(): string | AddressInfo | null }) =>
  `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

async function enqueueIn(outbox: MadeOutbox | null | undefined) {
  return outbox ? outbox.enqueue(MAIL) : null;
}

const frameworks: Record<string, (options: MailServiceOptions) => Promise<Running>> = {
  async fastify(options) {
    const app = Fastify();
    // biome-ignore lint/nursery/noMisusedPromises: Fastify awaits what a plugin returns
    await app.register(fastifyMail, options);
    app.post('/sign-up', async (_, reply) => reply.send(JSON.stringify(await enqueueIn(app.outbox))));
    return { url: await app.listen({ host: '127.0.0.1', port: 0 }), close: () => app.close() };
  },
  async express(options) {
    const app = express();
    const mail = await expressMail(options, app);
    app.use(mail);
    app.post('/sign-up', async (request, response) => {
      response.json(await enqueueIn((request as typeof request & ExpressOutbox).outbox));
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
    const app = new Hono<{ Variables: OutboxVariables }>();
    app.use(mail);
    app.post('/sign-up', async (c) => c.json(await enqueueIn(c.var.outbox)));
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
    class SignUp {
      readonly #outbox: Outbox | null;
      constructor(outbox: Outbox | null) {
        this.#outbox = outbox;
      }
      async create() {
        return JSON.stringify(await enqueueIn(this.#outbox));
      }
    }
    // What the decorators do, which the test's compiler does not know.
    Inject(Outbox)(SignUp, undefined, 0);
    Post('sign-up')(SignUp.prototype, 'create', descriptorOf(SignUp.prototype, 'create'));
    Controller()(SignUp);
    class AppModule {}
    Module({ imports: [MailModule.forRoot(options)], controllers: [SignUp] })(AppModule);
    const app = await NestFactory.create(AppModule, { logger: false, abortOnError: false });
    await app.listen(0, '127.0.0.1');
    return { url: await app.getUrl(), close: () => app.close() };
  },
};

function descriptorOf(of: object, name: string): PropertyDescriptor {
  return Object.getOwnPropertyDescriptor(of, name) ?? {};
}

async function signUp({ url }: Running): Promise<unknown> {
  return (await fetch(`${url}/sign-up`, { method: 'POST' })).json();
}

beforeEach(() => {
  for (const name of Object.keys(process.env)) if (/^(?:AMSDAL|AWS)_/.test(name)) vi.stubEnv(name, undefined);
  vi.stubEnv('AMSDAL_EMAIL_URL', 'dummy://');
});
afterEach(() => {
  vi.unstubAllEnvs();
});

describe.each(Object.entries(frameworks))('%s', (_, start) => {
  test('an outbox that is given: requests have it, a worker sends, and closing waits for what is under way', async () => {
    const connection = new SlowBackend();
    const outbox = new Outbox({ store: memoryStore(), connection });
    const app = await start({ outbox, work: { concurrency: 1 } });
    expect(await signUp(app)).toEqual([{ id: expect.any(String), isDuplicate: false }]);
    await signUp(app);
    await vi.waitFor(() => expect(connection.waiting).toBe(1), WAIT);
    let isClosed = false;
    const closing = app.close().then(() => {
      isClosed = true;
    });
    await vi.waitFor(async () => expect((await outbox.list({ state: 'queued' })).length).toBe(1), WAIT);
    expect([connection.sent, isClosed]).toEqual([[], false]);
    connection.letGo();
    await closing;
    expect(connection.sent).toEqual(['Welcome']); // the second one was given back
    expect((await outbox.stats()).lanes).toEqual({ transactional: { sent: 1, queued: 1 } });
  });

  test('an outbox that is the connection; without work nothing is sent', async () => {
    vi.stubEnv('AMSDAL_EMAIL_URL', 'outbox:memory:?via=dummy');
    const app = await start({ verify: true });
    expect(await signUp(app)).toMatchObject([{ isDuplicate: false }]);
    await app.close();
  });

  test('without an outbox there is none, and nothing that could work', async () => {
    const app = await start({});
    expect(await signUp(app)).toBeNull();
    await app.close();
    await expect(start({ work: true })).rejects.toThrow('work: the connection is dummy and no outbox: give outbox');
  });
});

describe('Nest: the health indicator in Terminus', () => {
  /** Asks an application that reports an outbox at /health. */
  async function healthOf(
    options: MailServiceOptions,
    check: (outbox: OutboxHealthIndicator) => ReturnType<OutboxHealthIndicator['isHealthy']>,
  ) {
    class Health {
      readonly #health: HealthCheckService;
      readonly #outbox: OutboxHealthIndicator;
      constructor(health: HealthCheckService, outbox: OutboxHealthIndicator) {
        this.#health = health;
        this.#outbox = outbox;
      }
      check() {
        return this.#health.check([() => check(this.#outbox)]);
      }
    }
    Inject(HealthCheckService)(Health, undefined, 0);
    Inject(OutboxHealthIndicator)(Health, undefined, 1);
    Get('health')(Health.prototype, 'check', descriptorOf(Health.prototype, 'check'));
    Controller()(Health);
    class AppModule {}
    Module({
      imports: [TerminusModule.forRoot({ logger: false }), MailModule.forRoot(options)],
      controllers: [Health],
    })(AppModule);
    const app = await NestFactory.create(AppModule, { logger: false, abortOnError: false });
    await app.listen(0, '127.0.0.1');
    const response = await fetch(`${await app.getUrl()}/health`);
    const told = (await response.json()) as { readonly details: Readonly<Record<string, unknown>> };
    await app.close();
    return { status: response.status, details: told.details };
  }

  test('is up as long as nobody needs to look at it', async () => {
    const outbox = new Outbox({ store: memoryStore(), connection: 'dummy' });
    const facts = { oldestMs: 0, inDoubt: 0, failed: 0, paused: [] };
    expect(await healthOf({ outbox }, (health) => health.isHealthy())).toEqual({
      status: 200,
      details: { outbox: { status: 'up', health: 'ok', ...facts } },
    });
  });

  test('is down while a mail is in doubt, but mails can be written down', async () => {
    const store = memoryStore();
    store.query = new Proxy(store.query, {
      apply: (query, of, args) =>
        args[0] === 'counts'
          ? [{ lane: 'bulk', state: 'in-doubt', count: 2, oldestMs: 9 }]
          : Reflect.apply(query, of, args),
    });
    const outbox = new Outbox({ store, connection: 'dummy' });
    expect(await healthOf({ outbox }, (health) => health.isHealthy('mail'))).toMatchObject({
      status: 503,
      details: { mail: { status: 'down', health: 'attention', inDoubt: 2 } },
    });
    expect(await healthOf({ outbox }, (health) => health.pingCheck())).toEqual({
      status: 200,
      details: { outbox: { status: 'up' } },
    });
  });

  test('is down, and says why, where the store does not answer or there is no outbox', async () => {
    const store = memoryStore();
    store.query = () => Promise.reject(new EmailConnectionError('refused', 'the store does not answer'));
    const outbox = new Outbox({ store, connection: 'dummy' });
    for (const check of ['isHealthy', 'pingCheck'] as const) {
      expect(await healthOf({ outbox }, (health) => health[check]())).toEqual({
        status: 503,
        details: { outbox: { status: 'down', message: 'the store does not answer' } },
      });
    }
    expect(await healthOf({}, (health) => health.pingCheck())).toMatchObject({
      details: { outbox: { status: 'down', message: 'there is no outbox' } },
    });
  });
});
