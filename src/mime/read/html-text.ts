const SKIPPED: Readonly<Record<string, string>> = {
  '!--': '-->',
  style: '</style',
  script: '</script',
  title: '</title',
};

/** Extracts the words of an HTML document, to preview a mail without a text part; tags become spaces. */
export function textOfHtml(html: string): string {
  let text = '';
  let at = 0;
  while (at < html.length) {
    const open = html.indexOf('<', at);
    if (open === -1) break;
    text += `${html.slice(at, open)} `;
    const name = /^(?:!--|[a-z]+)/i.exec(html.slice(open + 1, open + 8))?.[0].toLowerCase() ?? '';
    const end = html.indexOf(SKIPPED[name] ?? '>', open);
    if (end === -1) return resolve(text);
    at = SKIPPED[name]?.startsWith('<') ? end : end + (SKIPPED[name]?.length ?? 1);
  }
  return resolve(text + html.slice(at));
}

function resolve(text: string): string {
  return text
    .replace(/&nbsp;|&zwnj;|&#\d+;/gi, ' ')
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&quot;', '"')
    .replaceAll('&amp;', '&');
}
