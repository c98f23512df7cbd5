import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { ScriptedSmtpServer } from '../../src/testing/server/scripted-smtp-server.ts';

const CHILD = fileURLToPath(new URL('exit-child.js', import.meta.url));

test.each([
  ['ends by itself', 'none', false],
  ['calls process.exit', 'exit', false],
  ['ends by itself, over TLS', 'none', true],
  ['calls process.exit, over TLS', 'exit', true],
])(
  'a process that has sent a mail and %s is not held up by its connection, which says QUIT',
  async (_, ending, isSecure) => {
    await using server = await ScriptedSmtpServer.start(isSecure ? { tls: 'generate', implicitTls: true } : {});
    const { host, port, certificate } = server;
    const options = { host, port, ...(isSecure && { security: 'implicit', tls: { ca: certificate } }) };
    const { stdout } = await promisify(execFile)(process.execPath, [CHILD, JSON.stringify(options), ending], {
      env: { ...(process.env['NODE_V8_COVERAGE'] && { NODE_V8_COVERAGE: process.env['NODE_V8_COVERAGE'] }) },
    });
    expect(stdout).toBe('true');
    await expect.poll(() => server.openConnections).toBe(0);
    expect(server.messages).toHaveLength(1);
    expect(server.commands.at(-1)).toBe('QUIT');
  },
);
