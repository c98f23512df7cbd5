import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { SmtpServer } from '../../src/smtp-server/server.ts';
import { freePorts } from '../servers/process.ts';
import { HERE, installPacked, PROGRAMS, QUIET, runProgram } from './packed.ts';

// One app, built and started by both Next.js and both of its bundlers, with nothing configured for the package.

let server: SmtpServer;
let mails: string[] = [];
beforeAll(async () => {
  await installPacked();
  server = await SmtpServer.start({
    onMessage: ({ bytes }) => {
      mails.push(Buffer.from(bytes).toString());
      return undefined;
    },
  });
});
afterAll(() => server.close());
beforeEach(() => {
  mails = [];
});

const versions = ['15', '16'].flatMap((version) =>
  ['webpack', 'turbopack'].map((bundler) => [version, bundler] as const),
);

describe.each(versions)('Next.js %s with %s', (version, bundler) => {
  const app = join(HERE, `next-${version}`);
  const next = join(app, version === '15' ? '../node_modules/next/dist/bin/next' : 'node_modules/next/dist/bin/next');

  test('builds without a warning about the package, and sends from a route, from a server action and after a response', async () => {
    clear(app);
    onTestFinished(() => clear(app));
    cpSync(join(PROGRAMS, 'next'), app, { recursive: true });
    const flags = version === '15' && bundler === 'webpack' ? [] : [`--${bundler}`];
    const built = await runProgram(process.execPath, [next, 'build', ...flags], { cwd: app });
    expect(built).toMatchObject({ code: 0 });
    expect(built.output + built.errors).not.toMatch(/amsdal-mail|Critical dependency|Module not found/);

    const started = await start(app, next);
    try {
      const route = await fetch(`${started.url}/send`, { method: 'POST' });
      expect(await route.json()).toEqual({ sent: true });
      // A browser without JavaScript posts the form as it stands in the page.
      const page = await (await fetch(started.url)).text();
      const form = new FormData();
      form.set(/\$ACTION_ID_[0-9a-f]+/.exec(page)?.[0] ?? '', '');
      form.set('text', 'Typed by Ann');
      const action = await fetch(started.url, { method: 'POST', body: form, redirect: 'manual' });
      expect([action.status, action.headers.get('location')]).toEqual([303, expect.stringMatching(/\?sent=true$/)]);
      // What is handed to after() is sent although the response is complete.
      const later = await fetch(`${started.url}/later`, { method: 'POST' });
      expect([later.status, await later.json()]).toEqual([202, { accepted: true }]);
      await expect.poll(() => mails.length).toBe(3);
    } finally {
      await started.end();
    }
    expect(mails).toEqual(
      ['From a route', 'Typed by Ann', 'After the response'].map((text) => expect.stringContaining(text)),
    );
    // What instrumentation.js subscribed, routes and actions see.
    for (const mail of mails) expect(mail).toContain('X-Instrumented: yes');
  });
});

/** Leaves nothing of an app but what is in the repository. */
function clear(app: string): void {
  for (const name of ['.next', 'app', 'instrumentation.js', 'next.config.mjs', 'next-env.d.ts'])
    rmSync(join(app, name), { recursive: true, force: true });
}

async function start(app: string, next: string): Promise<{ readonly url: string; end(): Promise<void> }> {
  const [port = 0] = await freePorts(1);
  const child = spawn(process.execPath, [next, 'start', '-p', String(port), '-H', '127.0.0.1'], {
    cwd: app,
    env: { PATH: process.env['PATH'] ?? '', ...QUIET, AMSDAL_EMAIL_URL: `smtp://127.0.0.1:${server.port}` },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  const ready = new Promise<void>((resolve, reject) => {
    const read = (chunk: Buffer): void => {
      output += chunk.toString();
      if (/Ready in/.test(output)) resolve();
    };
    child.stdout.on('data', read);
    child.stderr.on('data', read);
    child.once('exit', () => reject(new Error(`next start ended: ${output}`)));
  });
  await ready;
  return {
    url: `http://127.0.0.1:${port}`,
    async end() {
      child.kill('SIGTERM');
      if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
    },
  };
}
