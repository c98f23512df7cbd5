import { EmailBackend, type Verification } from '../backend/backend.ts';
import type { DeliveryResult, Job } from '../backend/job.ts';
import { thrownHere } from '../model/error-copies.ts';
import type { Feature } from '../model/features.ts';
import { loaded } from '../options/late-module.ts';
import type { HttpEngine } from './engine.ts';
import { checkHttpOptions, type Declared, type HttpOptions, refuseSmtpOptions } from './options.ts';
import type { Carries, Provider } from './provider.ts';

/** The least characters of a header's value that is hidden like a key. */
const MIN_KEY = 8;

/**
 * A provider with an HTTP API. A subclass declares its options and what it carries; how a message is written and what answers
 * mean is loaded with the first delivery, and so is what makes the requests.
 */
export abstract class HttpBackend<O extends HttpOptions = HttpOptions> extends EmailBackend {
  /** What the provider carries. */
  static readonly carries: Carries;
  /** The options that must be given, such as the key; of a list, one. */
  static readonly required: readonly (string | readonly string[])[] = ['apiKey'];
  /** The name of the same provider's preset for SMTP. */
  static readonly smtpPreset: string | null = null;

  protected override readonly features: ReadonlySet<Feature>;
  protected override readonly awaitsCommit = true;
  readonly #options: O;
  #engine: HttpEngine | null = null;

  /** @throws {ConfigurationError} `unknown-option`, `invalid-option`, `missing-option`, `conflicting-options` */
  constructor(options: O = {} as O /* none is required by its type */) {
    super(refuseSmtpOptions(new.target as unknown as Declared, options)); // what every subclass has
    this.#options = options;
    const { carries } = this.#declared;
    // Those that no other backend has do no harm there.
    this.features = new Set((Object.keys(carries) as Feature[]).filter((name) => carries[name]));
    checkHttpOptions(this.#declared, options);
  }

  /**
   * The way to write messages for the provider and to read its answers.
   *
   * @internal
   */
  protected abstract load(options: O): Promise<Provider>;

  protected override async *deliver(jobs: AsyncIterable<Job>): AsyncGenerator<DeliveryResult, void, undefined> {
    const engine = this.#engine ?? (await this.#load());
    yield* engine.deliver(jobs);
  }

  protected override async disconnect(): Promise<void> {
    await this.#engine?.close();
  }

  /**
   * Makes a harmless request, to see that the provider is there and accepts the key.
   *
   * @throws {EmailConnectionError | SendError} when it does not.
   */
  override async verify(options: { readonly signal?: AbortSignal } = {}): Promise<Verification> {
    try {
      const engine = await this.#load();
      return { backend: this.name, details: await engine.verify(options.signal) };
    } catch (error) {
      throw thrownHere(error);
    }
  }

  get #declared(): Declared {
    return this.constructor as unknown as Declared; // what every subclass has
  }

  async #load(): Promise<HttpEngine> {
    const options = this.#options;
    const [{ HttpEngine }, provider] = await loaded(Promise.all([import('./engine.ts'), this.load(options)]));
    const { carries, optionTable } = this.#declared;
    const values = Object.entries(options).filter(([option]) => 'secret' in (optionTable[option] ?? {}));
    const secrets = values.flatMap(([, value]: [string, unknown]) => (typeof value === 'string' ? [value] : []));
    // Also in the form that they are sent in: encoded, after the name of a scheme.
    const sent = Object.values(provider.authorization ?? {}).map(withoutScheme);
    // Headers of the caller may hold keys of gateways; short values are words, and no keys.
    const headers = Object.values(options.headers ?? {}).flatMap((value) => [value, withoutScheme(value)]);
    const hidden = [
      ...[...secrets, ...sent].filter((secret) => secret.length > 3),
      ...headers.filter((value) => value.length >= MIN_KEY),
    ];
    this.#engine ??= new HttpEngine({
      name: this.name,
      keyMs: this.idempotencyMs ?? 0,
      provider,
      carries,
      options,
      maxConnections: options.maxConnections ?? 10,
      secrets: hidden,
    });
    return this.#engine;
  }
}

function withoutScheme(credentials: string): string {
  return credentials.replace(/^\w+ /, '');
}
