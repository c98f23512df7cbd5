import { splitAddresses } from './split-addresses.ts';
import { type AskedMail, bare } from './strict-vendor.ts';

/** A mail that says in its headers who gets it, as a server sends it: once to each, without Bcc. */
export function rawMail(source: Uint8Array): AskedMail {
  const text = Buffer.from(source).toString('latin1');
  const end = text.indexOf('\r\n\r\n') + 2;
  const fields = text.slice(0, end).split(/\r\n(?![ \t])/);
  const listed = fields.flatMap((field) => {
    const [, list] = /^(?:To|Cc|Bcc):([\s\S]*)$/i.exec(field) ?? [];
    return list === undefined ? [] : splitAddresses(list.replaceAll('\r\n', ''));
  });
  const addresses = listed.map((entry) => bare(entry.trim())).filter((address) => address.includes('@'));
  const once = new Map(addresses.map((address) => [address.toLowerCase(), address]));
  const head = fields.filter((field) => !/^Bcc:/i.test(field)).join('\r\n');
  return { recipients: [...once.keys()], source: () => Buffer.from(`${head}${text.slice(end)}`, 'latin1') };
}
