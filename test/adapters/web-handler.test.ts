import 'reflect-metadata';
import { request as httpRequest, type Server } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { serve } from '@hono/node-server';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import express from 'express';
import Fastify from 'fastify';
import { Hono } from 'hono';
import { afterAll, afterEach, describe, expect, test } from 'vitest';
import { expressHandler, type WebHandler } from '../../src/adapters/express.ts';
import { fastifyHandler } from '../../src/adapters/fastify.ts';
import { Outbox } from '../../src/connection/outbox.ts';

/** A running application whose handler is at /admin/outbox: its address, and how it is ended. */
interface Running {
  readonly port: number;
  close(): Promise<void>;
}

function listen(app: ReturnType<typeof express>): Promise<Running> {
  return new Promise((resolve) => {
    const server = app.listen(0, '127.0.0.1', () => {
      const close = () =>
        new Promise<void>((closed) => {
          server.close(() => closed());
          server.closeAllConnections();
        });
      resolve({ port: (server.address() as AddressInfo).port, close });
    });
  });
}

const frameworks: Record<string, (handler: WebHandler) => Promise<Running>> = {
  async fastify(handler) {
    const app = Fastify({ forceCloseConnections: true });
    await app.register(fastifyHandler(handler), { prefix: '/admin/outbox' });
    await app.listen({ host: '127.0.0.1', port: 0 });
    return { port: (app.server.address() as AddressInfo).port, close: () => app.close() };
  },
  express(handler) {
    const app = express();
    app.use('/admin/outbox', expressHandler(handler));
    return listen(app);
  },
  'express behind its parsers, in a router'(handler) {
    const app = express();
    app.use(express.json(), express.urlencoded({ extended: true }), express.text(), express.raw());
    const router = express.Router();
    router.use('/outbox', expressHandler(handler));
    app.use('/admin', router);
    return listen(app);
  },
  async 'hono, which takes it as it is'(handler) {
    const app = new Hono();
    app.all('/admin/outbox/*', (c) => handler(c.req.raw));
    return new Promise((resolve) => {
      const server = serve({ fetch: app.fetch, hostname: '127.0.0.1', port: 0 }, ({ port }) => {
        const close = () =>
          new Promise<void>((closed) => {
            server.close(() => closed());
            (server as Server).closeAllConnections(); // no HTTP/2 was asked for
          });
        resolve({ port, close });
      });
    });
  },
  async nest(handler) {
    class AppModule {}
    Module({})(AppModule);
    const app = await NestFactory.create(AppModule, { logger: false, forceCloseConnections: true });
    app.use('/admin/outbox', expressHandler(handler));
    await app.listen(0, '127.0.0.1');
    return { port: (app.getHttpServer().address() as AddressInfo).port, close: () => app.close() };
  },
};

/** Answers with what it was asked. */
const echo: WebHandler = async (request) =>
  Response.json({
    method: request.method,
    url: request.url,
    header: request.headers.get('x-asked'),
    body: request.body === null ? null : Buffer.from(await request.arrayBuffer()).toString('latin1'),
  });

let app: Running | null = null;
afterEach(async () => {
  await app?.close();
  app = null;
});

describe.each(Object.entries(frameworks))('%s', (_, start) => {
  const ask = (path: string, init?: RequestInit) => fetch(`http://127.0.0.1:${app?.port}/admin/outbox${path}`, init);

  test.each(['', '/', '?do=list&text=%2F', '/a/b.js?x=1'])('the path that the browser sees: %s', async (path) => {
    app = await start(echo);
    const response = await ask(path, { headers: { 'x-asked': 'one, two' } });
    expect(await response.json()).toEqual({
      ...{ method: 'GET', header: 'one, two', body: null },
      url: `http://127.0.0.1:${app.port}/admin/outbox${path}`,
    });
  });

  test.each([
    ['application/json', '{"action":"retry","ids":["a","b"]}'],
    ['application/x-www-form-urlencoded', 'a=1&b=x+y&a=2'],
    ['text/plain', 'with\r\nlines'],
    ['application/octet-stream', '\x00\xff\x80'],
  ])('a body of %s', async (type, text) => {
    app = await start(echo);
    const body = Buffer.from(text, 'latin1');
    const response = await ask('/x', { method: 'POST', body, headers: { 'content-type': type } });
    const told = ((await response.json()) as { body: string }).body;
    const sorted = (form: string) => form.split('&').toSorted().join('&');
    expect(type.includes('form') ? sorted(told) : told).toBe(type.includes('form') ? sorted(text) : text);
  });

  test('methods, status, headers, and cookies each by itself', async () => {
    const methods: string[] = [];
    app = await start(async ({ method }) => {
      methods.push(method);
      const headers = new Headers({ 'content-type': 'text/html; charset=utf-8', 'x-told': 'yes' });
      headers.append('set-cookie', 'a=1; Path=/');
      headers.append('set-cookie', 'b=2; Path=/');
      return new Response(method === 'HEAD' ? null : '<p>gone</p>', { status: 410, headers });
    });
    for (const method of ['GET', 'HEAD', 'DELETE', 'PUT', 'PATCH', 'OPTIONS']) {
      const response = await ask('', { method });
      expect([method, response.status, response.headers.get('x-told')]).toEqual([method, 410, 'yes']);
      expect(response.headers.get('content-type')).toBe('text/html; charset=utf-8');
      expect(response.headers.getSetCookie()).toEqual(['a=1; Path=/', 'b=2; Path=/']);
      expect(await response.text()).toBe(method === 'HEAD' ? '' : '<p>gone</p>');
    }
    expect(methods).toEqual(['GET', 'HEAD', 'DELETE', 'PUT', 'PATCH', 'OPTIONS']);
    expect((await (await fetch(`http://127.0.0.1:${app.port}/admin/other`)).text()).includes('gone')).toBe(false);
  });

  test('a response that streams arrives as it is made, and its source hears when the browser leaves', async () => {
    const told: string[] = [];
    let left = (): void => {};
    const hasLeft = new Promise<void>((resolve) => {
      left = resolve;
    });
    let push = (_text: string): void => {};
    app = await start(({ signal }) => {
      signal.addEventListener('abort', () => told.push('aborted'));
      const body = new ReadableStream<Uint8Array>({
        start(controller) {
          push = (text) => controller.enqueue(Buffer.from(text));
          push('data: 1\n\n');
        },
        cancel: () => left(),
      });
      return new Response(body, { headers: { 'content-type': 'text/event-stream' } });
    });
    const stop = new AbortController();
    const response = await ask('', { signal: stop.signal });
    const reader = response.body?.getReader();
    expect(Buffer.from((await reader?.read())?.value ?? []).toString()).toBe('data: 1\n\n');
    push('data: 2\n\n');
    expect(Buffer.from((await reader?.read())?.value ?? []).toString()).toBe('data: 2\n\n');
    stop.abort();
    await hasLeft;
    expect(told).toEqual(['aborted']);
  });

  test('a request that streams is read as it comes', async () => {
    app = await start(async ({ body }) => new Response(body?.pipeThrough(new TransformStream()) ?? null));
    const { port } = app;
    const answer = await new Promise<string>((resolve, reject) => {
      const headers = { 'content-type': 'application/x-ndjson' };
      const sent = httpRequest({ port, path: '/admin/outbox', method: 'POST', headers }, (response) => {
        let text = '';
        response.on('data', (chunk: Buffer) => {
          text += chunk.toString();
          if (text === 'first\n') sent.end('second\n'); // only then
        });
        response.on('end', () => resolve(text));
      });
      sent.on('error', reject);
      sent.write('first\n');
    });
    expect(answer).toBe('first\nsecond\n');
  });

  test('an error of the handler is the framework’s to answer, and takes nothing else along', async () => {
    let fails = true;
    app = await start(async (request) => {
      if (fails) throw new Error('no');
      return echo(request);
    });
    const stderr = console.error;
    console.error = () => {}; // Express tells of it there
    expect((await ask('')).status).toBe(500);
    console.error = stderr;
    fails = false;
    expect((await ask('')).status).toBe(200);
  });
});

describe('a dashboard without auth', () => {
  const PATH = '/admin/outbox?do=overview';
  const outbox = new Outbox({ store: 'memory:', connection: 'dummy' });
  const dashboard = outbox.dashboard();
  afterAll(() => outbox.close());

  test.each([
    ['127.0.0.1', 200],
    ['::1', 200],
    ['::ffff:127.0.0.1', 200],
    ['192.0.2.7', 403],
    ['::ffff:192.0.2.7', 403],
    ['127.evil', 403],
    [undefined, 403], // of a socket that is closed already, or that only a proxy reaches
  ])('answers %s, whatever Host says: %i', async (address, status) => {
    const web = express();
    web.use(({ socket }, _response, next) => {
      Object.defineProperty(socket, 'remoteAddress', { value: address });
      next();
    });
    web.use('/admin/outbox', expressHandler(dashboard));
    app = await listen(web);
    expect((await fetch(`http://localhost:${app.port}${PATH}`)).status).toBe(status);
    const fastify = Fastify();
    fastify.addHook('onRequest', async ({ raw: { socket } }) => {
      Object.defineProperty(socket, 'remoteAddress', { value: address });
    });
    await fastify.register(fastifyHandler(dashboard), { prefix: '/admin/outbox' });
    expect((await fastify.inject({ url: PATH, headers: { host: 'localhost' } })).statusCode).toBe(status);
    await fastify.close();
  });
});

/** Without Hono, which makes requests of what it gets by itself. */
const ours = Object.entries(frameworks).filter(([name]) => !name.startsWith('hono'));

describe.each(ours)('%s', (name, start) => {
  test.each([
    ['GET /admin/outbox', 'evil.example/admin?x='],
    ['GET /admin/outbox', 'user@evil.example'],
    ['GET /admin/outbox', 'a b'],
    ['TRACE /admin/outbox', '127.0.0.1'],
    ['GET http://evil.example/admin/outbox', '127.0.0.1'],
  ])('what has no URL of ours does not reach it: %s of %s', async (line, host) => {
    let count = 0;
    app = await start(async () => new Response(String(count++)));
    const status = await new Promise<string>((resolve, reject) => {
      const socket = connect(app?.port ?? 0, '127.0.0.1', () =>
        socket.write(`${line} HTTP/1.1\r\nHost: ${host}\r\n\r\n`),
      );
      socket.once('data', (data) => {
        resolve(data.toString().split('\r\n')[0] ?? '');
        socket.destroy();
      });
      socket.on('error', reject);
    });
    expect(status).toMatch(/^HTTP\/1\.1 4/);
    expect([name, count]).toEqual([name, 0]);
  });
});

test('express says what to do where a parser that it does not know has read the body', async () => {
  const parsed = express();
  parsed.use((request, _response, next) => {
    request.on('end', () => next()).resume();
    request.body = { field: 'x' };
  });
  parsed.use('/admin/outbox', expressHandler(echo));
  const told: unknown[] = [];
  parsed.use(
    (error: unknown, _request: unknown, response: { status(code: number): { end(): void } }, _next: unknown) => {
      told.push(String(error));
      response.status(500).end();
    },
  );
  app = await listen(parsed);
  const body = new FormData();
  body.append('field', 'x');
  await fetch(`http://127.0.0.1:${app.port}/admin/outbox`, { method: 'POST', body });
  expect(told).toEqual([expect.stringContaining('mount that before the parser of multipart/form-data')]);
});
