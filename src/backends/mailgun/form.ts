import type { Encoded } from '../../http/provider.ts';
import { randomToken } from '../../util/random.ts';

/** A file in a form. */
export interface FormFile {
  readonly filename: string;
  readonly type: string;
  readonly bytes: Uint8Array;
}

/** A form of texts and files (RFC 7578); a list is as many fields of one name, and what is undefined is none. */
export function encodeForm(fields: object): Encoded {
  const boundary = `form-${randomToken()}`;
  const chunks: Uint8Array[] = [];
  for (const [name, value] of Object.entries(fields)) {
    for (const entry of Array.isArray(value) ? value : [value]) {
      if (entry === undefined || entry === null) continue;
      const isFile = typeof entry === 'object' && entry.bytes instanceof Uint8Array;
      const head = isFile ? `; filename="${escaped(entry.filename)}"\r\nContent-Type: ${entry.type}` : '';
      chunks.push(
        Buffer.from(`--${boundary}\r\nContent-Disposition: form-data; name="${escaped(name)}"${head}\r\n\r\n`),
      );
      chunks.push(
        isFile ? entry.bytes : Buffer.from(typeof entry === 'object' ? JSON.stringify(entry) : String(entry)),
        CRLF,
      );
    }
  }
  chunks.push(Buffer.from(`--${boundary}--\r\n`));
  return { type: `multipart/form-data; boundary=${boundary}`, body: chunks };
}

const CRLF = /* @__PURE__ */ new TextEncoder().encode('\r\n');

/** As browsers write it (RFC 7578, section 4.2). */
function escaped(text: string): string {
  return text.replaceAll('\r', '%0D').replaceAll('\n', '%0A').replaceAll('"', '%22');
}
