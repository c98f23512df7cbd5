import { ConfigurationError } from '../../../model/errors.ts';
import type { Blob, ClaimedMail, NewMail, Settlement } from '../../store.ts';

/** A text without what a text of Postgres cannot hold, halves of characters and NUL: nothing that is kept has them. */
export function wellFormed(text: string): string {
  return text.replace(/[\p{Surrogate}\0]/gu, '\ufffd');
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64');
}

/** Of base64 in lines. */
export function bytesOf(text: string): Uint8Array {
  return Buffer.from(text, 'base64');
}

/** The parameters of the statement that writes mails down: each blob once. */
export function enqueueValues(mails: readonly NewMail[]): string[] {
  const blobs = new Map<string, Blob>(mails.flatMap((mail) => mail.blobs.map((blob) => [blob.hash, blob])));
  const links = mails.flatMap(({ id, blobs: each }) => each.map(({ hash }) => ({ id, hash })));
  const columns: readonly Column[] = [
    ...[mails.map(({ id }) => id), mails.map(({ key }) => key), mails.map(({ lane }) => lane)],
    ...[mails.map(({ priority }) => priority), mails.map(({ orderKey }) => orderKey)],
    ...[mails.map(({ messageId }) => messageId), mails.map(({ dueAt }) => dueAt)],
    ...[
      mails.map(({ onDoubt }) => onDoubt),
      mails.map(({ facts }) => facts),
      mails.map((mail) => base64(mail.content)),
    ],
  ];
  const blobColumns: readonly Column[] = [
    ...[links.map(({ id }) => id), links.map(({ hash }) => hash)],
    ...[[...blobs.keys()], [...blobs.values()].map(({ bytes }) => base64(bytes))],
  ];
  return [...columns, ...(links.length > 0 ? blobColumns : [])].map(arrayOf);
}

type Column = readonly (string | number | null)[];

/** A list as a text: https://www.postgresql.org/docs/current/arrays.html#ARRAYS-IO */
export function arrayOf(column: Column): string {
  const texts = column.map((value) => {
    if (typeof value !== 'string') return value === null ? 'NULL' : String(value);
    return `"${wellFormed(value).replace(/["\\]/g, '\\$&')}"`;
  });
  return `{${texts.join(',')}}`;
}

/** @throws {ConfigurationError} `invalid-option` for what a text of Postgres cannot hold. */
export function checkTexts(mails: readonly NewMail[]): void {
  for (const mail of mails) {
    for (const option of ['id', 'key', 'lane', 'orderKey', 'messageId', 'facts'] as const) {
      if (mail[option]?.includes('\0')) {
        const message = `${option}: must be without NUL characters, which Postgres cannot keep in a text`;
        throw new ConfigurationError('invalid-option', message, { option });
      }
    }
  }
}

/** Lists of at most so many mails and, but for a single larger one, so many bytes. */
export function* chunksOf(mails: readonly NewMail[], most: number, mostBytes: number): Generator<readonly NewMail[]> {
  let chunk: NewMail[] = [];
  let bytes = 0;
  for (const mail of mails) {
    const size = mail.content.length + mail.facts.length + mail.blobs.reduce((sum, blob) => sum + blob.bytes.length, 0);
    if (chunk.length > 0 && (chunk.length === most || bytes + size > mostBytes)) {
      yield chunk;
      chunk = [];
      bytes = 0;
    }
    chunk.push(mail);
    bytes += size;
  }
  if (chunk.length > 0) yield chunk;
}

/** Lists in which no mail is twice: a later change of one depends on what became of an earlier one. */
export function roundsOf(settlements: readonly Settlement[]): readonly (readonly Settlement[])[] {
  const rounds: Map<string, Settlement>[] = [];
  for (const settlement of settlements) {
    const round = rounds.find((each) => !each.has(settlement.id));
    if (round) round.set(settlement.id, settlement);
    else rounds.push(new Map([[settlement.id, settlement]]));
  }
  return rounds.map((round) => [...round.values()]);
}

export function settlementRow(settlement: Settlement): Readonly<Record<string, unknown>> {
  const { id, fence, from, to, afterMs, isTried, facts, keepsRequest, dropsContent } = settlement;
  return {
    id,
    fence,
    states: from,
    next_state: to,
    after_ms: afterMs,
    is_tried: isTried,
    new_facts: facts,
    keeps_request: keepsRequest,
    drops_content: dropsContent,
  };
}

/** A claimed mail as the statement `claim` tells it. */
export type ClaimedRow = Omit<ClaimedMail, 'content'> & { readonly content: string | null };

export function claimedOf(row: ClaimedRow): ClaimedMail {
  return { ...row, content: bytesOf(row.content ?? '') };
}
