import { optionalRequire } from '../util/optional-package.ts';
import { withoutNul } from './nul.ts';

/** What html-to-text offers, as far as it is used here. */
interface HtmlToText {
  convert(html: string, options: { readonly wordwrap: false; readonly selectors: readonly object[] }): string;
}

/**
 * The plain text of an HTML body, links and lists kept, images left out.
 *
 * @throws {ConfigurationError} `missing-dependency` when the package html-to-text is not installed.
 */
export function textFromHtml(html: string): string {
  const { convert } = optionalRequire<HtmlToText>('html-to-text', 'autoText');
  const text = convert(html, { wordwrap: false, selectors: [{ selector: 'img', format: 'skip' }] });
  return withoutNul(text); // a character reference may stand for one
}
