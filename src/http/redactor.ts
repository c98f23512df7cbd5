import type { EmailMessage } from '../model/message.ts';
import { formsOf, redactForms } from '../net/oauth-answer.ts';
import { isObject } from '../util/json.ts';
import { withoutQuotes } from '../util/quoted-content.ts';

/** An answer with more levels is no provider's. */
const MAX_DEPTH = 100;

/** Takes out of what providers say what is in no error, status or log: secrets, and the mails' own texts. */
export class Redactor {
  readonly #secrets: readonly string[];
  readonly #forms: readonly string[];

  constructor(secrets: readonly string[]) {
    this.#secrets = secrets;
    this.#forms = formsOf(secrets);
  }

  /** One that takes out these secrets, too. */
  and(secrets: readonly string[]): Redactor {
    if (secrets.length === 0) return this;
    return new Redactor([...this.#secrets, ...secrets]);
  }

  /** A text without them; `messages` are those that the answer is about. */
  text(text: string, messages: readonly EmailMessage[]): string {
    return this.#shown(text, messages.flatMap(textsOf));
  }

  /** A value read from JSON, or the text that is none, without them. */
  value(value: unknown, messages: readonly EmailMessage[]): unknown {
    const texts = messages.flatMap(textsOf);
    return this.#isClean(value, texts, 0) ? value : this.#value(value, texts, 0);
  }

  /** Whether nothing is to be taken out, as mostly: a copy for each mail costs more than to look twice. */
  #isClean(value: unknown, texts: readonly string[], depth: number): boolean {
    if (typeof value === 'string') return this.#shown(value, texts) === value;
    if (typeof value !== 'object' || value === null) return true;
    if (depth > MAX_DEPTH) return false;
    return Object.entries(value).every(
      ([name, field]) => this.#shown(name, texts) === name && this.#isClean(field, texts, depth + 1),
    );
  }

  #shown(text: string, texts: readonly string[]): string {
    return withoutQuotes(redactForms(text, this.#forms), texts);
  }

  #value(value: unknown, texts: readonly string[], depth: number): unknown {
    if (typeof value === 'string') return this.#shown(value, texts);
    if (depth > MAX_DEPTH) return null;
    if (Array.isArray(value)) return value.map((entry: unknown) => this.#value(entry, texts, depth + 1));
    if (!isObject(value)) return value;
    const fields = Object.entries(value).map(([name, field]) => [
      this.#shown(name, texts),
      this.#value(field, texts, depth + 1),
    ]);
    return Object.fromEntries(fields);
  }
}

function textsOf({ subject, body, htmlBody, alternatives }: EmailMessage): readonly string[] {
  return [subject, body, htmlBody ?? '', ...alternatives.map(({ content }) => content)].filter((text) => text !== '');
}
