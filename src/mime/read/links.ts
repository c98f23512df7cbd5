import { htmlTags } from './html-tags.ts';

/** The distinct URLs that a mail links to: those of the HTML first, then those of the text. */
export function linksOf(text: string | null, html: string | null): string[] {
  return [...new Set([...(html === null ? [] : htmlLinks(html)), ...(text === null ? [] : textLinks(text))])];
}

function htmlLinks(html: string): string[] {
  const links: string[] = [];
  for (const { name, attributes } of htmlTags(html)) {
    const href = attributes.get('href')?.trim();
    if ((name === 'a' || name === 'area') && href && !href.startsWith('#')) links.push(href);
  }
  return links;
}

function textLinks(text: string): string[] {
  return [...text.matchAll(/https?:\/\/[^\s<>"')\]]+/gi)].map(([link]) => link.replace(/[.,;:!?]$/, ''));
}
