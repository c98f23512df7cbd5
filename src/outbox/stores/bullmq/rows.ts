import { isUtf8 } from 'node:buffer';
import {
  type ClaimedMail,
  type Count,
  ENDED,
  type MailState,
  type Marking,
  type NewMail,
  type OnDoubt,
  type Pause,
  type Settlement,
  type StoredMail,
} from '../../store.ts';

/** A text as it is kept where there may be none; an empty one says that there is none. */
const kept = (text: string | null): string => (text === null ? '' : `=${text}`);
const orNull = (text: string): string | null => (text === '' ? null : text.slice(1));

/** Bytes as a text: most of them are one. */
export function textOf(bytes: Uint8Array): string {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return isUtf8(buffer) ? `t${buffer.toString('utf8')}` : `b${buffer.toString('base64')}`;
}

export function bytesOf(text: string): Uint8Array {
  return Buffer.from(text.slice(1), text.startsWith('b') ? 'base64' : 'utf8');
}

/** What the script `enqueue` is given of each. */
export function mailArguments(mail: NewMail): readonly (string | number)[] {
  const { id, key, lane, priority, orderKey, messageId, dueAt, onDoubt, facts, content, blobs } = mail;
  const hashes = blobs.map(({ hash }) => hash).join(' ');
  const [order, named] = [kept(orderKey), kept(messageId)];
  return [id, kept(key), lane, priority, order, named, dueAt ?? '', onDoubt, facts, textOf(content), hashes];
}

/** What the script `mark` is given of each. */
export function markingArguments({ id, fence, request, repeatMs }: Marking): readonly (string | number)[] {
  return [id, fence, kept(request), Math.trunc(repeatMs)];
}

export function settlementArguments(settlement: Settlement): readonly (string | number)[] {
  const { id, fence, from, to, afterMs, isTried, facts, keepsRequest, dropsContent } = settlement;
  return [
    ...[id, fence ?? '', ` ${from.join(' ')} `, to, Math.ceil(afterMs), isTried ? 1 : 0, facts ?? ''],
    ...[keepsRequest ? 1 : 0, dropsContent ? 1 : 0],
  ];
}

/** What Redis answers: a list of texts, or of numbers where a script made them. */
export type Texts = readonly (string | number)[];

/** Lists of so many texts each. */
function rowsOf(texts: Texts, width: number): readonly (readonly string[])[] {
  return Array.from({ length: texts.length / width }, (_, row) =>
    texts.slice(row * width, (row + 1) * width).map(String),
  );
}

export function storedOf(texts: Texts): readonly StoredMail[] {
  return rowsOf(texts, 15).map((row) => {
    const [id = '', key = '', lane = '', priority, order = '', named = '', doubt, state, ...rest] = row;
    const [dueAt, tries, fence, request = '', createdAt, changedAt, facts = ''] = rest;
    return {
      id,
      key: orNull(key),
      lane,
      priority: Number(priority),
      orderKey: orNull(order),
      facts,
      messageId: orNull(named),
      request: orNull(request),
      onDoubt: doubt as OnDoubt, // as it was written
      state: state as MailState, // so, too
      dueAt: Number(dueAt),
      tries: Number(tries),
      fence: Number(fence),
      createdAt: Number(createdAt),
      changedAt: Number(changedAt),
    };
  });
}

export function claimedOf(texts: Texts): readonly ClaimedMail[] {
  return rowsOf(texts, 11).map((row) => {
    const [
      id = '',
      lane = '',
      fence,
      tries,
      doubt,
      createdAt,
      request = '',
      repeatMs,
      facts = '',
      content = '',
      probe,
    ] = row;
    return {
      id,
      lane,
      fence: Number(fence),
      tries: Number(tries),
      onDoubt: doubt as OnDoubt, // as it was written
      request: orNull(request),
      repeatMs: Number(repeatMs),
      createdAt: Number(createdAt),
      facts,
      content: bytesOf(content),
      isProbe: probe === '1',
    };
  });
}

export function countsOf(texts: Texts): readonly Count[] {
  return rowsOf(texts, 4).map(([lane = '', text, count, oldestMs]) => {
    const state = text as MailState; // as it was written
    return { lane, state, count: Number(count), oldestMs: ENDED.includes(state) ? null : Number(oldestMs) };
  });
}

export function pausesOf(texts: Texts): readonly Pause[] {
  return rowsOf(texts, 3).map(([lane = '', ms, reason = '']) => ({ lane, ms: Number(ms), reason }));
}
