import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { SmtpServer } from '../../src/smtp-server/server.ts';
import { freePorts, until } from '../servers/process.ts';
import { HERE, installPacked, PROGRAMS, runProgram, tool } from './packed.ts';

// Servers that are CommonJS: a Nest app as its own tools compile it, and Express with `require`.

let server: SmtpServer;
let folder = '';
let received: string[] = [];
beforeAll(async () => {
  await installPacked();
  mkdirSync(join(HERE, '.work'), { recursive: true });
  folder = mkdtempSync(join(HERE, '.work/nest-'));
  cpSync(join(PROGRAMS, 'nest'), folder, { recursive: true });
  server = await SmtpServer.start({
    onRcpt: (address) => (address.startsWith('unknown@') ? '550 5.1.1 User unknown' : undefined),
    onMessage: ({ envelope }) => {
      received.push(...envelope.rcptTo);
      return undefined;
    },
  });
});
afterAll(async () => {
  await server.close();
  rmSync(folder, { recursive: true });
});
beforeEach(() => {
  received = [];
});

/** Starts the server of a file, asks it, ends it by SIGTERM, and tells all that came of it. */
async function serve(file: string, ask: (url: string) => Promise<unknown>): Promise<unknown> {
  const [port = 0] = await freePorts(1);
  const smtp = { AMSDAL_EMAIL_URL: `smtp://127.0.0.1:${server.port}` };
  const env = { PATH: process.env['PATH'], NO_COLOR: '1', PORT: String(port), ...smtp };
  const child = spawn(process.execPath, [file], { cwd: folder, env, stdio: ['ignore', 'pipe', 'pipe'] });
  const ended = once(child, 'close');
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
  try {
    await until(
      () => output.includes('listening') || child.exitCode !== null,
      () => `the server does not listen: ${output}`,
    );
    const answers = child.exitCode === null ? await ask(`http://127.0.0.1:${port}`) : null;
    child.kill('SIGTERM');
    const [code, signal] = await ended;
    return { answers, output, end: code ?? signal };
  } finally {
    child.kill('SIGKILL');
    await ended;
  }
}

async function order(url: string): Promise<unknown> {
  const post = async (path: string, address: string): Promise<unknown> => {
    const headers = { 'content-type': 'application/json' };
    const response = await fetch(url + path, { method: 'POST', headers, body: JSON.stringify({ address }) });
    return response.json();
  };
  return [
    await post('/orders', 'jane@example.org'),
    await post('/orders/by-function', 'bob@example.org'),
    await post('/orders/by-function', 'unknown@example.org'),
  ];
}

const ANSWERS = [{ status: 'sent' }, { isSuccess: true }, { code: 'invalid-recipient' }];

describe('a server of CommonJS sends, and stops when it is told to, every connection closed', () => {
  test('Nest, compiled by TypeScript 5.9 with node10 and metadata of decorators', async () => {
    const compiled = await runProgram(process.execPath, [tool('typescript/bin/tsc'), '-p', folder]);
    expect(compiled).toEqual({ code: 0, output: '', errors: '' });
    expect(await serve(join(folder, 'built/main.js'), order)).toEqual({
      answers: ANSWERS,
      output: 'listening\n',
      end: 'SIGTERM',
    });
    expect(received).toEqual(['jane@example.org', 'bob@example.org']);
    await expect.poll(() => server.connections).toBe(0);
  });

  test('Express with require', async () => {
    cpSync(join(PROGRAMS, 'express.cjs'), join(folder, 'express.cjs'));
    const served = await serve(join(folder, 'express.cjs'), order);
    expect(served).toEqual({ answers: ANSWERS, output: 'listening\n', end: 'SIGTERM' });
    expect(received).toEqual(['jane@example.org', 'bob@example.org']);
    await expect.poll(() => server.connections).toBe(0);
  });
});
