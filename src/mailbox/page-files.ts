import { readdirSync, readFileSync } from 'node:fs';
import { extname, join } from 'node:path';
import { ownFile } from '../options/own-file.ts';
import type { Reply } from './web/reply.ts';

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
};

/** The page may only use scripts, styles, images and frames of this server. */
const PAGE_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "media-src 'self'",
  "connect-src 'self'",
  "frame-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

/**
 * The files of the page by URL path.
 *
 * @throws {ConfigurationError} `load-failed` in a bundle, which lacks them.
 */
export function readPageFiles(): ReadonlyMap<string, Reply> {
  const folder = pageFolder();
  const files = new Map<string, Reply>();
  for (const name of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
    const file = pageFile(name, () => readFileSync(join(folder, name)));
    if (file !== null) files.set(name === 'index.html' ? '/' : `/page/${name.replaceAll('\\', '/')}`, file);
  }
  return files;
}

/**
 * Where the files of the page are, some of which other pages share.
 *
 * @throws {ConfigurationError} `load-failed` in a bundle, which lacks them.
 */
export function pageFolder(): string {
  return ownFile(import.meta.url, './page', 'the page needs');
}

/** A file of a page by its name; null for what is not served. */
export function pageFile(name: string, read: () => string | Uint8Array): Reply | null {
  const type = TYPES[extname(name)];
  if (type === undefined || name.endsWith('.d.ts')) return null;
  return { status: 200, headers: { 'content-type': type, 'content-security-policy': PAGE_POLICY }, body: read() };
}
