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
  const folder = ownFile(import.meta.url, './page', 'the mailbox needs');
  const files = new Map<string, Reply>();
  for (const name of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
    const type = TYPES[extname(name)];
    if (type === undefined || name.endsWith('.d.ts')) continue;
    const path = name === 'index.html' ? '/' : `/page/${name.replaceAll('\\', '/')}`;
    const headers = { 'content-type': type, 'content-security-policy': PAGE_POLICY };
    files.set(path, { status: 200, headers, body: readFileSync(join(folder, name)) });
  }
  return files;
}
