import { cpSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { SmtpServer } from '../../src/smtp-server/server.ts';
import { HERE, installPacked, PROGRAMS, runProgram, tool } from './packed.ts';

// Jest in a CommonJS project: without Babel, and without a flag of Node.

let server: SmtpServer;
let folder = '';
let received = 0;
beforeAll(async () => {
  await installPacked();
  mkdirSync(join(HERE, '.work'), { recursive: true });
  folder = mkdtempSync(join(HERE, '.work/jest-'));
  cpSync(join(PROGRAMS, 'jest'), folder, { recursive: true });
  server = await SmtpServer.start({
    onMessage: () => {
      received++;
      return undefined;
    },
  });
});
afterAll(async () => {
  await server.close();
  rmSync(folder, { recursive: true });
});

test('Jest requires the package, and its tests pass', async () => {
  const options = ['--ci', '--watchman=false', '--cacheDirectory=.cache', '--json', '--silent'];
  const env = { SMTP_PORT: String(server.port) };
  const ended = await runProgram(process.execPath, [tool('jest/bin/jest.js'), ...options], { cwd: folder, env });
  expect(ended).toMatchObject({ code: 0 });
  expect(JSON.parse(ended.output)).toMatchObject({ numPassedTests: 9, numTotalTests: 9 });
  expect(ended.errors).not.toMatch(/did not exit|failed to exit|experimental/i);
  expect(received).toBe(2);
});
