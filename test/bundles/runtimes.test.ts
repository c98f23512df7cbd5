import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { AuthAttempt } from '../../src/smtp-server/auth.ts';
import type { Certificate } from '../../src/smtp-server/certificate.ts';
import { SmtpServer } from '../../src/smtp-server/server.ts';
import { makeCertificates } from '../servers/certificates.ts';
import { freePorts, until } from '../servers/process.ts';
import { HERE, installPacked, PROGRAMS, runProgram, tool } from './packed.ts';
import { expectedOutcomes } from './support.ts';

// The same trials in every runtime; what cannot work there says so by a ConfigurationError, and stands in support.ts.

/** The Node that runs the tests, and those that NODE_BINARIES names, parted by colons. */
const nodes = [process.execPath, ...(process.env['NODE_BINARIES'] ?? '').split(':').filter(Boolean)];

const certificates = makeCertificates();
const servers: (SmtpServer | Server)[] = [];
let folder = '';
let where = {};
let plain: SmtpServer;
beforeAll(async () => {
  await installPacked();
  mkdirSync(join(HERE, '.work'), { recursive: true });
  folder = mkdtempSync(join(HERE, '.work/runtimes-'));
  writeFileSync(join(folder, 'ca.pem'), certificates.ca);
  const onRcpt = (address: string) => (address.startsWith('unknown') ? '550 5.1.1 User unknown' : undefined);
  const onAuth = (attempt: AuthAttempt) => attempt.matches('secret');
  plain = await SmtpServer.start({ onRcpt });
  const starttls = await SmtpServer.start({ tls: certificates.good, onAuth });
  const implicit = await SmtpServer.start({ tls: certificates.good, implicitTls: true, onAuth });
  const lossy = await losesAnswers();
  const untrusted = await tlsServers(certificates.selfSigned);
  const otherHost = await tlsServers(certificates.wrongHost);
  servers.push(plain, starttls, implicit, lossy);
  where = {
    plain: plain.port,
    starttls: starttls.port,
    implicit: implicit.port,
    lossy: (lossy.address() as AddressInfo).port, // it listens on TCP
    untrusted,
    otherHost,
    trust: { tls: { ca: certificates.ca } },
  };
});
afterAll(async () => {
  for (const server of servers) await server.close();
  rmSync(folder, { recursive: true });
});

/** The ports of two servers with a certificate. */
async function tlsServers(tls: Certificate): Promise<{ readonly starttls: number; readonly implicit: number }> {
  const starttls = await SmtpServer.start({ tls });
  const implicit = await SmtpServer.start({ tls, implicitTls: true });
  servers.push(starttls, implicit);
  return { starttls: starttls.port, implicit: implicit.port };
}

/** Takes a mail and closes without an answer. */
async function losesAnswers(): Promise<Server> {
  const server = createServer((socket) => {
    let text = '';
    socket.on('error', () => {}); // the client may hang up first
    socket.write('220 lossy ESMTP\r\n');
    socket.on('data', (chunk) => {
      text += chunk.toString('latin1');
      if (text.endsWith('\r\n.\r\n')) socket.destroy();
      else if (/DATA\r\n$/i.test(text)) socket.write('354 go on\r\n');
      else if (text.endsWith('\r\n')) socket.write('250 lossy\r\n');
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return server;
}

describe('the trials', () => {
  test.each([
    ...nodes.map((path) => ['Node', path, []] as const),
    ['Bun', '@oven/bun-linux-x64/bin/bun', []],
    ['Deno', '@deno/linux-x64-glibc/deno', ['run', '--allow-all', '--no-lock']],
  ] as const)('%s', async (name, program, args) => {
    const file = join(PROGRAMS, 'run-trials.js');
    const env = { WHERE: JSON.stringify(where) };
    const ended = await runProgram(name === 'Node' ? program : tool(program), [...args, file], { env });
    expect(ended).toMatchObject({ code: 0 });
    expect(JSON.parse(ended.output)).toEqual(expectedOutcomes(name));
  });
});

describe('workerd', () => {
  let workerd: ChildProcess;
  let url = '';
  let log = '';
  beforeAll(async () => {
    const outfile = join(folder, 'worker.mjs');
    const bundle = [
      '--bundle',
      '--format=esm',
      '--platform=node',
      '--conditions=workerd,worker',
      `--outfile=${outfile}`,
    ];
    const built = await runProgram(tool('.bin/esbuild'), [
      join(PROGRAMS, 'worker.js'),
      ...bundle,
      '--log-level=warning',
    ]);
    expect(built).toEqual({ code: 0, output: '', errors: '' });
    const [port = 0] = await freePorts(1);
    url = `http://127.0.0.1:${port}`;
    // The certificates to trust are the runtime's matter: programs cannot give any there.
    const binding = JSON.stringify(JSON.stringify({ ...where, trust: {} }));
    writeFileSync(
      join(folder, 'config.capnp'),
      `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [
    (name = "main", worker = .mainWorker),
    (name = "internet", network = (allow = ["public", "private"], tlsOptions = (trustedCertificates = [${JSON.stringify(certificates.ca)}]))),
  ],
  sockets = [(name = "http", address = "127.0.0.1:${port}", http = (), service = "main")],
);
const mainWorker :Workerd.Worker = (
  modules = [(name = "worker", esModule = embed "worker.mjs")],
  compatibilityDate = "2026-06-01",
  compatibilityFlags = ["nodejs_compat"],
  bindings = [
    (name = "WHERE", text = ${binding}),
    (name = "AMSDAL_EMAIL_URL", text = "smtp://127.0.0.1:${plain.port}"),
  ],
);
`,
    );
    workerd = spawn(tool('@cloudflare/workerd-linux-64/bin/workerd'), ['serve', join(folder, 'config.capnp')], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    for (const stream of [workerd.stdout, workerd.stderr])
      stream?.on('data', (chunk: Buffer) => {
        log += chunk.toString();
      });
    await until(
      () =>
        fetch(`${url}/dummy`)
          .then(({ ok }) => ok)
          .catch(() => false),
      () => `workerd does not answer: ${log}`,
    );
  });
  afterAll(async () => {
    workerd.kill('SIGTERM');
    if (workerd.exitCode === null && workerd.signalCode === null) await once(workerd, 'exit');
  });

  const ask = async (name: string): Promise<unknown> => (await fetch(`${url}/${encodeURIComponent(name)}`)).json();

  test.each(Object.entries(expectedOutcomes('workerd')))('%s', async (name, expected) => {
    expect([await ask(name), log]).toEqual([expected, log]);
  });

  test.each([
    ['an untrusted certificate by STARTTLS', /^EmailConnectionError (?:tls|certificate|closed): /],
    ['an untrusted certificate by implicit TLS', /^EmailConnectionError (?:tls|certificate|closed): /],
    ['a certificate for another host by STARTTLS', /^EmailConnectionError (?:tls|certificate|closed): /],
    ['a certificate for another host by implicit TLS', /^EmailConnectionError (?:tls|certificate|closed): /],
    ['options of TLS', /^ConfigurationError invalid-option: tls .*Cloudflare Workers/],
    ['the ses backend without keys', /^ConfigurationError invalid-credentials: no AWS credentials were found/],
    ['the file backend', /^ConfigurationError [\w-]+: .*Cloudflare Workers/],
  ])('%s is refused', async (name, expected) => {
    expect([await ask(name), log]).toEqual([expect.stringMatching(expected), expect.anything()]);
  });

  test.each(['five mails by the shared connection', 'one list by the shared connection'])(
    '20 concurrent requests of %s',
    async (name) => {
      const before = plain.accepted;
      const answers = await Promise.all(Array.from({ length: 20 }, () => ask(name)));
      expect([answers, log]).toEqual([Array.from({ length: 20 }, () => true), log]);
      expect(plain.accepted).toBeGreaterThanOrEqual(before + 20);
      await until(
        () => plain.connections === 0,
        () => `${plain.connections} connections are left open`,
      );
    },
  );
});
