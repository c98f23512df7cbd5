import { describe, expect, test } from 'vitest';
import { composeMessage } from '../../../src/mime/compose/compose.ts';
import { composeStream } from '../../../src/mime/compose/compose-stream.ts';
import { withInlineImages } from '../../../src/mime/compose/inline-images.ts';
import { lint } from '../../../src/mime/lint/lint.ts';
import { namedContentIds } from '../../../src/mime/lint/lint-html.ts';
import type { AttachmentInit } from '../../../src/model/attachment.ts';
import { EmailMessage } from '../../../src/model/message.ts';
import type { EmailMessageInit } from '../../../src/model/message-init.ts';
import { cpuTimeOf } from '../../cpu-time.ts';
import { fc } from '../../properties.ts';
import { readWithMailparser, readWithPostalMime } from '../read-mail.ts';

const PNG = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0xff, 0x00]);
const GIF = Buffer.from('GIF89a and so on');
const SVG = '<svg xmlns="http://www.w3.org/2000/svg"><text>é</text></svg>';
const png = `data:image/png;base64,${PNG.toString('base64')}`;
const gif = `data:image/gif;base64,${GIF.toString('base64')}`;

const messageOf = (init: Partial<EmailMessageInit>): EmailMessage =>
  new EmailMessage({ subject: 's', fromEmail: 'a@example.com', to: 'b@example.org', inlineImages: true, ...init });

const LOGO: AttachmentInit = { filename: 'logo.png', content: PNG };

/** The HTML with `[1]` where it names the first inline part, and so on; and the parts. */
function inlined(htmlBody: string, attachments: readonly AttachmentInit[] = []) {
  const message = withInlineImages(messageOf({ htmlBody, attachments }));
  const parts = message.attachments.filter(({ contentId }) => contentId !== null);
  const numbered = parts.reduce(
    (html, { contentId }, index) => html.replaceAll(`cid:${contentId}`, `[${index + 1}]`),
    message.htmlBody ?? '',
  );
  return { html: numbered, parts, files: message.attachments.filter(({ contentId }) => contentId === null) };
}

describe('the image of a data: URI becomes an inline part, wherever HTML shows one', () => {
  test.each([
    [`<img src="${png}" alt="x">`, '<img src="[1]" alt="x">'],
    [`<img alt='a>b' src='${png}'/>`, "<img alt='a>b' src='[1]'/>"],
    [`<IMG SRC = "${png.replace('data:image/png', 'DATA:Image/PNG')}">`, '<IMG SRC = "[1]">'],
    [`<img src=${png} width=1>`, '<img src=[1] width=1>'],
    [`<img src=${png}>`, '<img src=[1]>'],
    [`<img src="\n  ${png}\n">`, '<img src="\n  [1]\n">'],
    [`<img src="${png.replace(',', ',\r\n\t').replace('=', ' =')}">`, '<img src="[1]">'],
    [`<img src="${png.replace('gr/', 'gr%2f').replaceAll('=', '%3D')}">`, '<img src="[1]">'],
    [`<img src="${png.replaceAll('=', '&#61;').replaceAll('/', '&#x2F;')}">`, '<img src="[1]">'],
    [`<img src="${png.replace(/=+$/, '')}">`, '<img src="[1]">'],
    [`<img src="${png.replace(';', '; charset=utf-8 ; ')}">`, '<img src="[1]">'],
    [
      `<img src="data:image/png,${[...PNG].map((octet) => `%${octet.toString(16).padStart(2, '0')}`).join('')}">`,
      '<img src="[1]">',
    ],
    [`<img src="${png}#top">`, '<img src="[1]">'],
    [`<img src="${png}" src="${gif}">`, `<img src="[1]" src="${gif}">`],
    [`<input type=image src="${png}">`, '<input type=image src="[1]">'],
    [`<video poster='${png}'></video>`, "<video poster='[1]'></video>"],
    [`<body background="${png}"><td background=${png}>`, '<body background="[1]"><td background=[1]>'],
    [
      `<img srcset="${png} 1x, ${png}\t2x,https://example.com/a.png 3x, ${png}">`,
      '<img srcset="[1] 1x, [1]\t2x,https://example.com/a.png 3x, [1]">',
    ],
    [`<source srcset="${png}, a.png">`, '<source srcset="[1], a.png">'],
    [`<p style="color:red;background:url(${png}) no-repeat">`, '<p style="color:red;background:url([1]) no-repeat">'],
    [`<p style="background:url('${png}'),URL( ${png} )">`, `<p style="background:url('[1]'),URL( [1] )">`],
    [`<p style='background:url( "${png}" )'>`, `<p style='background:url( "[1]" )'>`],
    [`<p style="background:url(&quot;${png}&quot;)">`, '<p style="background:url(&quot;[1]&quot;)">'],
    [`<p style="background:url(&#39;${png}&#39;)">`, '<p style="background:url(&#39;[1]&#39;)">'],
    [
      `<style type="text/css">\n/* it's */ a{b:url(${png})}\nc::after{content:'"'}d{e:url("${png}")}</style>`,
      `<style type="text/css">\n/* it's */ a{b:url([1])}\nc::after{content:'"'}d{e:url("[1]")}</style>`,
    ],
    [`<style>a{content:'not closed\n}b{c:url(${png})}</style>`, `<style>a{content:'not closed\n}b{c:url([1])}</style>`],
    [`<!--[if !mso]><!--><img src="${png}"><!--<![endif]-->`, '<!--[if !mso]><!--><img src="[1]"><!--<![endif]-->'],
    [`<p title="<"><!-- > --><img src="${png}">`, '<p title="<"><!-- > --><img src="[1]">'],
  ])('%s', (given, expected) => {
    const { html, parts } = inlined(given);
    expect(html).toBe(expected);
    expect(parts).toMatchObject([{ mimetype: 'image/png', filename: 'image-1.png' }]);
    expect(Buffer.from(parts[0]?.content as Uint8Array)).toEqual(PNG);
  });

  test.each([
    ['image/svg+xml', `data:image/svg+xml;utf8,${SVG.replaceAll('"', "'")}`, SVG.replaceAll('"', "'"), 'image-1.svg'],
    ['image/svg+xml', `data:image/svg+xml,${encodeURIComponent(SVG)}`, SVG, 'image-1.svg'],
    [
      'image/svg+xml',
      `data:image/svg+xml,${SVG.replaceAll('"', '&quot;').replaceAll('<', '&lt;')}`,
      SVG,
      'image-1.svg',
    ],
    ['image/jpeg', 'data:image/jpg;base64,QQ==', 'A', 'image-1.jpeg'],
    ['image/x-icon', 'data:image/x-icon,100%25%zz%4', '100%%zz%4', 'image-1.icon'],
  ])('as %s: %s', (mimetype, url, content, filename) => {
    const { html, parts } = inlined(`<img src="${url}">`);
    expect(html).toBe('<img src="[1]">');
    expect(parts).toMatchObject([{ mimetype, filename }]);
    expect(Buffer.from(parts[0]?.content as Uint8Array).toString()).toBe(content);
  });

  test('the same image is there once, however often and however it is written', () => {
    const { html, parts } = inlined(
      `<img src="${png}"><img src="${gif}"><td background="${png}"><img src="${png.replaceAll('=', '')}">`,
    );
    expect(html).toBe('<img src="[1]"><img src="[2]"><td background="[1]"><img src="[1]">');
    expect(parts.map(({ filename }) => filename)).toEqual(['image-1.png', 'image-2.gif']);
  });

  test('its Content-ID is the same in every mail, and also a second time in one mail', () => {
    const once = withInlineImages(messageOf({ htmlBody: `<img src="${png}">` }));
    const again = withInlineImages(once.with({ htmlBody: `${once.htmlBody}<img src="${png}">`, inlineImages: true }));
    expect(once.attachments[0]?.contentId).toMatch(/^[0-9a-f]{32}@inline$/);
    expect(again.attachments).toEqual(once.attachments);
    expect(again.htmlBody).toBe(`${once.htmlBody}${once.htmlBody}`);
  });
});

describe('an attached image that the HTML names by its file name becomes inline', () => {
  test.each([
    ['<img src="logo.png">', '<img src="[1]">'],
    ["<td background='./images/logo.png'>", "<td background='[1]'>"],
    ['<p style="background:url(/static/logo.png)">', '<p style="background:url([1])">'],
    ['<style>a{b:url("../logo.png")}</style>', '<style>a{b:url("[1]")}</style>'],
    ['<img src=images\\logo.png>', '<img src=[1]>'],
    ['<img src="images/logo.png?v=1/2#x">', '<img src="[1]">'],
    ['<img src="lo%67o.png">', '<img src="[1]">'],
    ['<img srcset="logo.png 1x, logo-2.png 2x">', '<img srcset="[1] 1x, logo-2.png 2x">'],
  ])('%s', (given, expected) => {
    const { html, parts, files } = inlined(given, [{ filename: 'a.pdf', content: 'x' }, LOGO]);
    expect(html).toBe(expected);
    expect(parts).toMatchObject([{ filename: 'logo.png', content: PNG }]);
    expect(files).toMatchObject([{ filename: 'a.pdf' }]);
  });

  test.each(['größe 1.png', '100%.png', 'a#1?.png', 'a%20b.png', 'a&b.png'])('the name may be %s', (filename) => {
    for (const name of [filename.replaceAll('&', '&amp;'), encodeURIComponent(filename)]) {
      expect(inlined(`<img src="${name}">`, [{ ...LOGO, filename }]).html).toBe('<img src="[1]">');
    }
  });

  test('it keeps the contentId it has, written so that no quote ends the address', () => {
    const message = messageOf({
      htmlBody: `<img src='logo.png'>`,
      attachments: [{ ...LOGO, contentId: "it's#1@example.com" }],
    });
    expect(withInlineImages(message).htmlBody).toBe(`<img src='cid:it%27s%231@example.com'>`);
    expect(lint(message).filter(({ id }) => id.includes('cid'))).toEqual([]);
  });

  test('of several with one name it is the first', () => {
    const { files, parts } = inlined('<img src="logo.png">', [LOGO, { ...LOGO, content: GIF }]);
    expect(parts).toMatchObject([{ content: PNG }]);
    expect(files).toMatchObject([{ content: GIF }]);
  });

  test('a Blob or a stream is not read for it', async () => {
    const opened: string[] = [];
    async function* open() {
      opened.push('x');
      yield PNG;
    }
    const message = messageOf({ htmlBody: '<img src="logo.png">', attachments: [{ ...LOGO, content: open }] });
    expect(withInlineImages(message).attachments[0]).toMatchObject({ content: open });
    expect(opened).toEqual([]);
    const chunks: Uint8Array[] = [];
    for await (const chunk of composeStream(message)) chunks.push(chunk);
    const { html, attachments } = await readWithPostalMime(Buffer.concat(chunks));
    expect(attachments).toMatchObject([{ content: PNG.toString('base64') }]);
    expect(html).toContain(`src="cid:${attachments[0]?.contentId}"`);
  });
});

describe('nothing else is changed', () => {
  test.each([
    ['no image', '<p>Grüße &amp; more</p>\r\n<br/>'],
    ['text', `<p>${png} url(${png}) src="${png}"</p>`],
    ['a comment', `<!-- <img src="${png}"> -->`],
    ['a conditional comment', `<!--[if mso]><v:fill src="${png}"><img src="logo.png"><![endif]-->`],
    ['a script', `<script>'<img src="${png}">'</script>`],
    ['a textarea', `<textarea><img src="${png}"></textarea>`],
    ['a comment in a style', `<style>/* url(${png}) */</style>`],
    ['a string in a style', `<style>a{content:"url(${png})"}</style><p style="content:'url(${png})'">`],
    ['a link', `<a href="${png}">x</a><a href="logo.png">x</a>`],
    ['another attribute', `<img data-src="${png}" alt="${png}"><p src="${png}">`],
    ['a tag that is not closed', `<img src="${png}"`],
    ['a value that is not closed', `<img src="${png}>`],
    ['a style that is not closed', `<style>a{b:url(${png})}`],
    ['a url() that is not closed', `<style>a{b:url("${png})}</style>`],
    ['base64 with another character', `<img src="data:image/png;base64,AA-A">`],
    ['base64 that is cut off', `<img src="data:image/png;base64,AAAAA">`],
    ['base64 with wrong padding', `<img src="data:image/png;base64,AAA==">`],
    ['no data', `<img src="data:image/png;base64,"><img src="data:image/png"><img src="data:">`],
    ['a text', `<img src="data:text/html;base64,QQ=="><img src="data:,x"><img src="data:application/pdf,x">`],
    ['an image of the web', '<img src="https://example.com/logo.png"><img src="//example.com/logo.png">'],
    ['a file', '<img src="file:///etc/logo.png"><img src="C:\\logo.png"><img src="\\\\host\\logo.png">'],
    ['a placeholder', '<img src="{{logo}}"><img src="data:image/png;base64,{{logo}}">'],
    ['another name', '<img src="Logo.png"><img src="logo.png.exe"><img src="logo"><img src="images/"><img src="">'],
    ['what is inline already', '<img src="cid:x@example.com">'],
    ['a file that is no image', '<img src="invoice.pdf">'],
  ])('%s', (_, htmlBody) => {
    const attachments = [LOGO, { filename: 'invoice.pdf', content: 'x' }];
    const { html, parts, files } = inlined(htmlBody, attachments);
    expect(html).toBe(htmlBody);
    expect(parts).toEqual([]);
    expect(files).toMatchObject(attachments);
  });

  test('not without inlineImages, and not where the provider renders the HTML', () => {
    for (const message of [
      messageOf({ htmlBody: `<img src="${png}">`, inlineImages: false }),
      messageOf({ htmlBody: `<img src="${png}">`, templateId: 'welcome' }),
      messageOf({ body: 'text' }),
    ])
      expect(withInlineImages(message)).toBe(message);
  });

  test('files that the HTML names are not opened', () => {
    const htmlBody = '<img src="package.json"><img src="./package.json"><img src="/etc/hostname">';
    expect(inlined(htmlBody)).toEqual({ html: htmlBody, parts: [], files: [] });
  });
});

describe('readers find the images', () => {
  const message = messageOf({
    body: 'text',
    htmlBody: `<img src="${png}"><td background="./logo.gif"><style>a{b:url(${gif})}</style>`,
    attachments: [
      { filename: 'a.pdf', content: 'pdf' },
      { filename: 'logo.gif', content: Buffer.from('GIF89a logo') },
    ],
  });
  const mail = composeMessage(message, { date: new Date(0), messageId: 'id@example.com', boundary: 'b' });

  test.each([
    ['mailparser', readWithMailparser],
    ['postal-mime', readWithPostalMime],
  ])('%s', async (_, read) => {
    const { html, attachments } = await read(mail);
    const contentOf = new Map(attachments.map(({ contentId, content }) => [contentId, content]));
    expect([...namedContentIds(html ?? '')].map((id) => contentOf.get(id))).toEqual(
      [PNG, Buffer.from('GIF89a logo'), GIF].map((bytes) => bytes.toString('base64')),
    );
    expect(html).not.toContain('data:');
    expect(contentOf.get(null)).toBe(Buffer.from('pdf').toString('base64'));
  });

  test('in a multipart/related with the HTML, marked inline', () => {
    const text = Buffer.from(mail).toString('latin1');
    const types = [...text.matchAll(/^Content-(?:Type: ([\w/]+)|Disposition: (\w+))/gm)].map(
      ([, type, kind]) => type ?? kind,
    );
    expect(types).toEqual([
      ...['multipart/mixed', 'multipart/alternative', 'text/plain', 'multipart/related', 'text/html'],
      ...['image/gif', 'inline', 'image/png', 'inline', 'image/gif', 'inline', 'application/pdf', 'attachment'],
    ]);
  });

  test('lint finds nothing amiss, and no HTML that is too large', () => {
    const large = `data:image/jpg;base64,${Buffer.alloc(200_000, 'x').toString('base64')}`;
    const htmlBody = `<img src="${large}" alt="" width="1" height="1">`;
    expect(lint(messageOf({ body: 'text', htmlBody })).map(({ id }) => id)).toEqual(['unsubscribe-missing']);
    expect(lint(messageOf({ body: 'text', htmlBody, inlineImages: false })).map(({ id }) => id)).toContain('html-size');
  });

  test('an image of 10 MB', () => {
    const bytes = Buffer.alloc(10_000_000, 'image');
    const url = `data:image/png;base64,${bytes.toString('base64')}`;
    for (const html of [`<img src="${url}">`, `<img src=${url}>`, `<style>a{b:url(${url})}</style>`]) {
      const { html: short, parts } = inlined(html);
      expect(short).toBe(html.replace(url, '[1]'));
      expect(bytes.equals(parts[0]?.content as Uint8Array)).toBe(true);
    }
  });
});

describe('properties', () => {
  const word = fc.constantFrom(
    ...['<p>', '<img ', 'src=', '"', "'", '>', '<!--', '-->', '<style>', '</style>', 'url(', ')', 'data:', 'image/png'],
    ...[';base64,', ',', '<script>', '</script>', 'style=', '&quot;', ' ', '\n', '/*', '*/', 'é', 'a.png', 'srcset='],
  );
  const soup = fc.array(word, { maxLength: 40 }).map((words) => words.join(''));

  test('HTML without images stays as it is, byte for byte', () => {
    const without = soup.filter((html) => !/data:\s*image/.test(html));
    fc.assert(
      fc.property(fc.oneof(without, fc.string({ unit: 'binary' })), (htmlBody) => {
        expect(withInlineImages(messageOf({ htmlBody })).htmlBody).toBe(htmlBody);
      }),
    );
  });

  test('every image is found by its reference, and what is between them stays', () => {
    const bytes = fc.uint8Array({ minLength: 1, maxLength: 40 });
    const encode = fc.constantFrom(
      (octets: Uint8Array) => `data:image/png;base64,${Buffer.from(octets).toString('base64')}`,
      (octets: Uint8Array) =>
        `data:image/png,${[...octets].map((octet) => `%${octet.toString(16).padStart(2, '0')}`).join('')}`,
    );
    const place = fc.constantFrom(
      ...['<img src="*">', "<img alt=x src='*'/>", '<img src=* >', '<p style="a:url(*)">', '<p style=\'a:url("*")\'>'],
      ...[
        '<style>a{b:url(*)}</style>',
        '<td background="*">',
        '<img srcset="* 2x">',
        '<b>text * text</b>'.replace('*', ''),
      ],
    );
    const between = fc.string().map((text) => text.replace(/[<>]/g, ''));
    fc.assert(
      fc.property(fc.array(fc.tuple(between, place, bytes, encode), { maxLength: 8 }), (pieces) => {
        const htmlBody = pieces
          .map(([text, html, octets, write]) => text + html.replace('*', () => write(octets)))
          .join('');
        const message = withInlineImages(messageOf({ htmlBody }));
        const contentOf = new Map(message.attachments.map(({ contentId, content }) => [contentId, content]));
        const shown = pieces
          .filter(([, html]) => html.includes('*'))
          .map(([, , octets]) => Buffer.from(octets).toString('hex'));
        const named = [...(message.htmlBody ?? '').matchAll(/cid:([0-9a-f]{32}@inline)/g)].map(([, id = '']) => id);
        expect(named.map((id) => Buffer.from(contentOf.get(id) as Uint8Array).toString('hex'))).toEqual(shown);
        expect(message.attachments).toHaveLength(new Set(shown).size);
        const ids = [...named];
        const expected = pieces.map(([text, html]) => text + html.replace('*', () => `cid:${ids.shift()}`)).join('');
        expect(message.htmlBody).toBe(expected);
      }),
    );
  });
});

test('a style full of strings is read in linear time', async () => {
  const read = (piece: string) => {
    const htmlBody = `<style>${piece.repeat(1_000_000)}</style>`;
    return cpuTimeOf(() => expect(withInlineImages(messageOf({ htmlBody })).htmlBody).toBe(htmlBody));
  };
  await read('a\n'); // what is compiled first
  const lines = await read('"\n');
  const strings = await read('""');
  expect(strings / lines, `${strings} ms of strings, ${lines} ms of lines`).toBeLessThan(20);
});
