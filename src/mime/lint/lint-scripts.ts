import { htmlTags } from '../read/html-tags.ts';
import { findings, type LintFinding } from './finding.ts';

/** Attributes whose URL is followed. */
const LINKS = ['href', 'xlink:href', 'src', 'action', 'formaction'];

/** Finds code that would run in a browser and runs in no mail client. */
export function* lintScripts(html: string): Generator<LintFinding> {
  const scripts: string[] = [];
  const handlers = new Set<string>();
  const links = new Set<string>();
  for (const { name, attributes } of htmlTags(html)) {
    if (name === 'script') scripts.push(attributes.get('src') || '<script>');
    for (const attribute of attributes.keys()) if (/^on[a-z]+$/.test(attribute)) handlers.add(`<${name} ${attribute}>`);
    for (const target of LINKS.map((link) => attributes.get(link) ?? ''))
      if (isScript(target)) links.add(target.trim());
  }
  yield* findings(
    'script',
    'error',
    'There is a <script>; no reader runs it, and filters take such a mail for an attack.',
    'Remove it: what the mail shows must stand in its HTML.',
    scripts,
  );
  yield* findings(
    'event-handler',
    'error',
    'An attribute such as onclick holds a script; readers remove it, and filters take such a mail for an attack.',
    'Remove it, and link to a page that does what it was for.',
    [...handlers],
  );
  yield* findings(
    'script-link',
    'error',
    'An address is a script (javascript:); readers remove it, so that a click does nothing.',
    'Link to a page: https:.',
    [...links],
  );
}

/** Whether a browser would run it; it ignores white space and controls before and in the scheme (WHATWG URL, section 4.4). */
function isScript(target: string): boolean {
  return /^(?:javascript|vbscript):/i.test([...target.slice(0, 100)].filter((char) => char > ' ').join(''));
}
