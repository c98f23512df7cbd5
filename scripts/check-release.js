// @ts-check
// Checks that the package may be published: node scripts/check-release.js, the first step of `npm run release`.
import { readFileSync } from 'node:fs';
import { argv, stdout } from 'node:process';
import { fileURLToPath } from 'node:url';

/** @typedef {{ version?: string, homepage?: string, repository?: string | { url?: string }, bugs?: string | { url?: string } }} Manifest */

/** Placeholder host names (RFC 2606, sections 2 and 3). */
const PLACEHOLDER = /(^|\.)(?:invalid|test|example|localhost|example\.(?:com|net|org))$/;

/** What keeps a package with this package.json from being published; empty when nothing does. @param {Manifest} manifest */
export function releaseFaults(manifest) {
  const { version, repository, bugs, homepage } = manifest;
  const addresses = Object.entries({ repository: addressOf(repository), bugs: addressOf(bugs), homepage });
  return [
    ...addresses.flatMap(([field, address]) => addressFault(field, address)),
    ...(version === undefined || /^0\.0\.0(?:-|$)/.test(version)
      ? ['version: run `npx changeset version`, which sets it and writes the changelog']
      : []),
  ];
}

/** @param {string | { url?: string } | undefined} field */
function addressOf(field) {
  return typeof field === 'string' ? field : field?.url;
}

/** @param {string} field @param {string | undefined} address @returns {string[]} */
function addressFault(field, address) {
  if (!address) return [`${field}: it is missing`];
  const url = address.replace(/^git\+/, '');
  if (!URL.canParse(url)) return [`${field}: '${address}' is no URL`];
  const { protocol, hostname } = new URL(url);
  if (protocol !== 'https:') return [`${field}: '${address}' is not https`];
  return PLACEHOLDER.test(hostname) ? [`${field}: '${address}' is a placeholder; set the address of the project`] : [];
}

if (argv[1] === fileURLToPath(import.meta.url)) {
  const manifest = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));
  const faults = releaseFaults(manifest);
  for (const fault of faults) stdout.write(`release: ${fault}\n`);
  process.exitCode = faults.length === 0 ? 0 : 1;
}
