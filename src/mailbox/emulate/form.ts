import type { IncomingHttpHeaders } from 'node:http';
import { reasonOf } from '../../util/reason.ts';
import { Refused } from './vendor.ts';

/** A file of a form. */
export interface FormFile {
  readonly filename: string;
  readonly type: string;
  readonly content: Buffer;
}

/** The fields of a form in their order, multipart or not. @throws {Refused} when it cannot be read */
export async function readForm(
  body: Buffer,
  headers: IncomingHttpHeaders,
): Promise<readonly (readonly [name: string, value: string | FormFile])[]> {
  const refuse = (message: string): never => {
    throw new Refused({ kind: 'syntax', field: null, message });
  };
  const type = headers['content-type'] ?? '';
  if (!/^(?:multipart\/form-data|application\/x-www-form-urlencoded)\b/i.test(type))
    refuse('the content-type must be multipart/form-data or application/x-www-form-urlencoded');
  try {
    const bytes = body as Uint8Array<ArrayBuffer>; // no body of a request is in memory that threads share
    const form = await new Response(bytes, { headers: { 'content-type': type } }).formData();
    return await Promise.all([...form].map(async ([name, value]) => [name, await fieldOf(value)] as const));
  } catch (error) {
    return refuse(`the form cannot be read: ${reasonOf(error)}`);
  }
}

async function fieldOf(value: string | File): Promise<string | FormFile> {
  if (typeof value === 'string') return value;
  return { filename: value.name, type: value.type, content: Buffer.from(await value.arrayBuffer()) };
}
