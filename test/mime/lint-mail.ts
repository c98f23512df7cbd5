/** What is wrong with a composed mail, by the letter of RFC 5321 and 5322; `bodyLimit` is the longest encoded line. */
export function lintMail(mail: Uint8Array): string[] {
  const text = Buffer.from(mail).toString('latin1');
  const faults: string[] = [];
  if (/\r(?!\n)|(?<!\r)\n/.test(text)) faults.push('a bare CR or LF');
  if (/[^\0-\x7f]/.test(text)) faults.push('an 8-bit byte');
  if (/\p{Cc}/u.test(text.replace(/[\t\r\n]/g, ''))) faults.push('a control character');
  if (!text.endsWith('\r\n')) faults.push('no line end at the end');
  for (const line of text.split('\r\n')) if (line.length > 998) faults.push(`a line of ${line.length}`);
  lintEntity(text, true, faults);
  return faults;
}

const SINGLETONS = [
  ...['from', 'sender', 'reply-to', 'to', 'cc', 'subject', 'date', 'message-id', 'in-reply-to', 'references'],
  ...['mime-version', 'content-type', 'content-transfer-encoding', 'content-disposition', 'content-id'],
  ...['list-unsubscribe', 'list-unsubscribe-post', 'x-priority', 'importance'],
];

function lintEntity(text: string, isRoot: boolean, faults: string[]): void {
  const split = text.startsWith('\r\n') ? 0 : text.indexOf('\r\n\r\n') + 2;
  const head = text.slice(0, split);
  const body = text.slice(split + 2);
  const fields = head.split(/\r\n(?![ \t])/).slice(0, -1);
  const names = fields.map((field) => field.slice(0, field.indexOf(':')).toLowerCase());
  for (const name of SINGLETONS) if (names.filter((other) => other === name).length > 1) faults.push(`${name} twice`);
  if (isRoot) {
    for (const name of ['from', 'date', 'message-id', 'mime-version', 'subject']) {
      if (!names.includes(name)) faults.push(`no ${name}`);
    }
    if (names.includes('bcc')) faults.push('Bcc in the headers');
  }
  for (const line of head.split('\r\n').slice(0, -1)) {
    if (/^[ \t]*$/.test(line)) faults.push('a header line of white space');
    // A line without white space inside cannot be folded, and a quoted local part is not cut.
    const foldable = line.replace(/^[^:\s]+:\s/, '').replace(/"(?:[^"\\]|\\.)*"@/g, '@');
    if (line.length > 78 && /\S[ \t]\S/.test(foldable)) faults.push(`a header line of ${line.length}: ${line}`);
    if (line.length > 76 && /=\?UTF-8\?[QB]\?/.test(line))
      faults.push(`a line of ${line.length} with encoded-words: ${line}`);
    for (const [word] of line.matchAll(/=\?UTF-8\?[QB]\?[^?]*\?=/g))
      if (word.length > 75) faults.push(`a long encoded-word: ${word}`);
  }
  const unfolded = head.replaceAll(/\r\n(?=[ \t])/g, '');
  const type = /^content-type: *([^;\r\n]+)(.*)$/im.exec(unfolded);
  const encoding = /^content-transfer-encoding: *(\S+)$/im.exec(unfolded)?.[1] ?? '7bit';
  if (type?.[1]?.startsWith('multipart/')) {
    if (encoding !== '7bit') faults.push('an encoded multipart');
    lintMultipart(/boundary="([^"]+)"/.exec(type[2] ?? '')?.[1] ?? '', body, faults);
  } else if (encoding !== '7bit' || !type?.[1]?.startsWith('message/')) {
    const limit = encoding === '7bit' ? 78 : 76;
    for (const line of body.split('\r\n'))
      if (line.length > limit) faults.push(`a line of ${line.length} in ${encoding}`);
    if (encoding === 'base64' && /[^A-Za-z0-9+/=\r\n]/.test(body)) faults.push('what is not base64');
    if (encoding === 'quoted-printable' && (/=(?!\r\n|[0-9A-F]{2})/.test(body) || /[ \t]\r\n/.test(body))) {
      faults.push('what is not quoted-printable');
    }
  }
}

function lintMultipart(boundary: string, body: string, faults: string[]): void {
  if (boundary === '' || boundary.length > 70) faults.push(`the boundary ${JSON.stringify(boundary)}`);
  const [preamble = '', ...rest] = `\r\n${body}`.split(`\r\n--${boundary}`);
  if (preamble !== '') faults.push('a preamble');
  const last = rest.pop() ?? '';
  if (!last.startsWith('--')) faults.push('an open multipart');
  for (const part of rest) {
    if (!part.startsWith('\r\n')) faults.push('a boundary in the content');
    lintEntity(`${part.slice(2)}\r\n`, false, faults);
  }
}
