import { rmSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { env } from 'node:process';
import { type Browser, chromium } from 'playwright-core';

/** Debian's Chromium, with a profile of its own and nothing that talks to the outside by itself. */
export async function launchChromium(): Promise<Browser> {
  // What one of its processes has just made there when it ends stays behind.
  const folder = await mkdtemp(join(tmpdir(), 'chromium-'));
  const browser = await chromium.launch({
    executablePath: '/usr/bin/chromium',
    env: { ...env, TMPDIR: folder },
    args: [
      ...['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-dev-shm-usage'],
      ...['--disable-background-networking', '--disable-component-update', '--disable-sync'],
    ],
  });
  browser.on('disconnected', () => rmSync(folder, { recursive: true, force: true, maxRetries: 10 }));
  return browser;
}
