// @ts-nocheck: plain JavaScript, as a user would write it
// Custom backends for blocking calls, with the ways in which one can fail.
import { isMainThread } from 'node:worker_threads';
import { EmailBackend, EmailConnectionError, sameForAll } from '../../../dist/index.js';

class Base extends EmailBackend {
  name = 'custom';
  features = new Set();
}

const sent = ({ index, message }, espResponse) => ({
  index,
  messageId: 'id',
  recipients: sameForAll(message, 'sent'),
  espResponse,
});

/** Tells what arrived. */
export class Echo extends Base {
  constructor(options = {}) {
    super(options);
    this.given = options;
  }
  async deliverOne(job) {
    const { subject, tags, date, attachments } = job.message;
    const contents = attachments.map(({ content }) =>
      typeof content === 'string' ? content : Buffer.from(content).toString('hex'),
    );
    const memory = attachments.map(({ content }) => content.buffer?.byteLength ?? null);
    return sent(job, { options: this.given, subject, tags, date, contents, memory });
  }
}

export class Exits extends Base {
  async deliverOne() {
    process.exit(3);
  }
}

export class ThrowsOutside extends Base {
  async deliverOne() {
    setImmediate(() => {
      throw new Error('outside');
    });
    await new Promise(() => {});
  }
}

export class RejectsUnheard extends Base {
  async deliverOne() {
    void Promise.reject(new Error('unheard'));
    await new Promise(() => {});
  }
}

/** Takes all the memory there is. */
export class RunsOutOfMemory extends Base {
  async deliverOne() {
    const all = [];
    for (;;) all.push({ more: all.map(() => all.length) });
  }
}

/** Keeps its thread busy for so long. */
export class IsBusy extends Base {
  async deliverOne(job) {
    for (const until = Date.now() + 2_500; Date.now() < until; );
    return sent(job);
  }
}

/** Answers, and ends the thread when the call is over. */
export class EndsLater extends Base {
  async deliverOne(job) {
    setImmediate(() => setImmediate(() => process.exit(0)));
    return sent(job);
  }
}

export class Throws extends Base {
  async deliverOne() {
    throw new EmailConnectionError('auth', 'no entry', {
      phase: 'auth',
      reply: { code: 535, enhancedCode: '5.7.8', text: 'no' },
      transcript: ['C: AUTH'],
      cause: Object.assign(new Error('deeper'), { code: 'EDEEP' }),
    });
  }
}

export class CannotBeMade extends Base {
  constructor(options) {
    super(options);
    if (!isMainThread) throw new Error('broken constructor');
  }
}

export class CannotBeClosed extends Base {
  async deliverOne(job) {
    return sent(job, { resolve: () => {} });
  }
  async disconnect() {
    throw new Error('stuck');
  }
}
