import { optionalRequire } from '../../options/optional-package.ts';
import { withoutNul } from './nul.ts';

/** The part of html-to-text that is used here. */
interface HtmlToText {
  convert(html: string, options: { readonly wordwrap: false; readonly selectors: readonly object[] }): string;
}

/**
 * Converts an HTML body to plain text, with its links and lists and without images.
 *
 * @throws {ConfigurationError} `missing-dependency` when the package html-to-text is not installed.
 */
export function textFromHtml(html: string): string {
  const { convert } = optionalRequire<HtmlToText>('html-to-text', 'autoText');
  const text = convert(html, { wordwrap: false, selectors: [{ selector: 'img', format: 'skip' }] });
  return withoutNul(text); // from a character reference such as &#0;
}
