import { rawMail } from './raw-mail.ts';
import { type HttpCall, type HttpReply, ScriptedHttp } from './scripted-http.ts';
import { findFaults, type Table } from './strict-shape.ts';

/** A file of a draft. */
export interface DraftFile {
  readonly name: string;
  readonly contentType: string;
  readonly isInline: boolean;
  readonly contentId?: string;
  readonly bytes: Buffer;
}

// https://learn.microsoft.com/graph/api/message-post-attachments, read 2026-11-30
const FILE: Table = {
  '@odata.type!': 'filled',
  'name!': 'filled',
  contentType: 'filled',
  isInline: 'boolean',
  contentId: 'filled',
  'contentBytes!': 'base64',
};
// https://learn.microsoft.com/graph/api/attachment-createuploadsession, read 2026-11-30
const SESSION: Table = {
  'AttachmentItem!': {
    'attachmentType!': 'filled',
    'name!': 'filled',
    contentType: 'filled',
    isInline: 'boolean',
    contentId: 'filled',
    'size!': 'integer',
  },
};
const MAX = 4 * 1024 * 1024;

/** The drafts of a mailbox: mails that are too large for one request (https://learn.microsoft.com/graph/outlook-large-attachments). */
export class GraphDrafts {
  readonly http: ScriptedHttp;
  /** What was asked, in order. */
  readonly steps: string[] = [];
  /** The mail of each draft that was sent, with its files. */
  readonly sent: { readonly recipients: readonly string[]; readonly source: string; readonly files: DraftFile[] }[] =
    [];
  /** Drafts that are still there. */
  readonly drafts = new Map<string, { readonly mime: string; readonly files: DraftFile[] }>();
  /** Answers otherwise, by step. */
  instead: (step: string) => HttpReply | undefined = () => undefined;
  readonly #sessions = new Map<
    string,
    { readonly draft: string; readonly item: Omit<DraftFile, 'bytes'> & { readonly size: number }; bytes: Buffer }
  >();

  private constructor(http: ScriptedHttp) {
    this.http = http;
    http.script = (call) => this.#serve(call);
  }

  static async start(): Promise<GraphDrafts> {
    return new GraphDrafts(await ScriptedHttp.start());
  }

  close(): Promise<void> {
    return this.http.close();
  }

  #serve(call: HttpCall): HttpReply {
    const { method, path, headers, body } = call;
    const step = `${method} ${path.replace(/^\/users\/[^/]+|\?.*/g, '').replaceAll(/draft%3D\d+/g, 'ID')}`;
    this.steps.push(step);
    const other = this.instead(step);
    if (other) return other;
    if (body.length > MAX) return refuse(413, 'RequestEntityTooLarge');
    if (method === 'PUT') return this.#put(call);
    if (headers['authorization'] !== 'Bearer graph-token') return refuse(401, 'InvalidAuthenticationToken');
    if (/\/messages$/.test(path)) {
      if (headers['content-type'] !== 'text/plain') return refuse(400, 'content-type');
      const id = `draft=${this.steps.length}`;
      this.drafts.set(id, { mime: Buffer.from(body.toString(), 'base64').toString('latin1'), files: [] });
      return { status: 201, body: { id, isDraft: true } };
    }
    const id = decodeURIComponent(/\/messages\/([^/]+)/.exec(path)?.[1] ?? '');
    const draft = this.drafts.get(id);
    if (draft === undefined) return refuse(404, 'ErrorItemNotFound');
    if (method === 'DELETE') return this.#remove(id, 204);
    if (path.endsWith('/send')) {
      if (body.length > 0) return refuse(400, 'a body');
      const { recipients, source } = rawMail(Buffer.from(draft.mime, 'latin1'));
      this.sent.push({ recipients, source: Buffer.from(source()).toString('latin1'), files: draft.files });
      return this.#remove(id, 202);
    }
    const said = JSON.parse(body.toString());
    const isSession = path.endsWith('/createUploadSession');
    const faults = findFaults(said, isSession ? SESSION : FILE);
    if (faults.length > 0) return refuse(400, faults.join('; '));
    if (!isSession) {
      const bytes = Buffer.from(said.contentBytes, 'base64');
      draft.files.push({ ...said, bytes });
      return { status: 201, body: { id: 'a' } };
    }
    const token = `secret-of-session-${this.steps.length}`;
    this.#sessions.set(token, { draft: id, item: said.AttachmentItem, bytes: Buffer.alloc(0) });
    return {
      status: 201,
      body: { uploadUrl: `${this.http.url}/upload?authtoken=${token}`, nextExpectedRanges: ['0-'] },
    };
  }

  #put({ path, headers, body }: HttpCall): HttpReply {
    const session = this.#sessions.get(path.replace('/upload?authtoken=', ''));
    if (session === undefined || headers['authorization'] !== undefined || headers['x-team'] !== undefined)
      return refuse(401, 'a key of another');
    const { bytes, item, draft } = session;
    const expected = `bytes ${bytes.length}-${bytes.length + body.length - 1}/${item.size}`;
    if (headers['content-range'] !== expected || headers['content-type'] !== 'application/octet-stream')
      return refuse(400, `expected ${expected}`);
    session.bytes = Buffer.concat([bytes, body]);
    if (session.bytes.length < item.size) return { body: { nextExpectedRanges: [String(session.bytes.length)] } };
    this.drafts.get(draft)?.files.push({ ...item, bytes: session.bytes });
    return { status: 201, headers: { location: 'x' }, body: '' };
  }

  #remove(id: string, status: number): HttpReply {
    this.drafts.delete(id);
    return { status, body: '' };
  }
}

function refuse(status: number, code: string): HttpReply {
  return { status, body: { error: { code, message: 'x' } } };
}
