import { type MailService, type MailServiceOptions, startMail } from '../app/mail-service.ts';
import { EmailBackend } from '../backend.ts';

/** Options of {@link MailModule.forRoot}. */
export interface NestMailOptions extends MailServiceOptions {
  /** Whether every module can have the connection without importing this one; default true. */
  readonly isGlobal?: boolean;
}

/** Options that other providers are asked for, of {@link MailModule.forRootAsync}. */
export interface NestMailAsyncOptions<M, T> {
  /** The modules that provide what `inject` names. */
  readonly imports?: M[];
  /** The tokens of what `useFactory` gets, in order. */
  readonly inject?: T[];
  /** Makes the options. */
  useFactory(...dependencies: never[]): MailServiceOptions | Promise<MailServiceOptions>;
  /** As in {@link NestMailOptions}. */
  readonly isGlobal?: boolean;
}

/** A provider as Nest's container takes it. */
export interface NestProvider<T> {
  /** The token. */
  readonly provide: abstract new (
    ...dependencies: never[]
  ) => object;
  /** The tokens of what `useFactory` gets, in order. */
  readonly inject: T[];
  /** Makes what is provided. */
  readonly useFactory: (...dependencies: unknown[]) => Promise<object>;
}

/** A module as Nest's container takes it. */
export interface NestDynamicModule<M, T> {
  /** The class of the module. */
  readonly module: typeof MailModule;
  /** Whether every other module sees its exports. */
  readonly global: boolean;
  /** The modules that provide what its providers need. */
  readonly imports: M[];
  /** The connection, and what opens and closes it. */
  readonly providers: NestProvider<T | typeof MailLifecycle>[];
  /** The token of the connection. */
  readonly exports: (typeof EmailBackend)[];
}

/**
 * A Nest module: `EmailBackend` is the token of the connection. It is opened with the application and closed, after every mail
 * under way was sent, by `app.close()`; SIGTERM and SIGINT do the same before the process ends.
 *
 * ```ts
 * @Module({ imports: [MailModule.forRoot({ verify: true })] })
 * class AppModule {}
 *
 * @Injectable()
 * class Orders {
 *   constructor(@Inject(EmailBackend) private readonly mail: EmailBackend) {}
 * }
 * ```
 */
// biome-ignore lint/complexity/noStaticOnlyClass: Nest knows modules by their classes
export class MailModule {
  /** The module with options that are known. */
  static forRoot(options: NestMailOptions = {}): NestDynamicModule<never, never> {
    return MailModule.forRootAsync({ useFactory: () => options, isGlobal: options.isGlobal ?? true });
  }

  /** The module with options that other providers know, such as a configuration service. */
  static forRootAsync<M = never, T = never>(options: NestMailAsyncOptions<M, T>): NestDynamicModule<M, T> {
    const { imports = [], inject = [], isGlobal = true } = options;
    const lifecycle: NestProvider<T> = {
      provide: MailLifecycle,
      inject,
      // Nest gives what `inject` names, in its order.
      useFactory: async (...dependencies) => new MailLifecycle(await options.useFactory(...(dependencies as never[]))),
    };
    const connection: NestProvider<typeof MailLifecycle> = {
      provide: EmailBackend,
      inject: [MailLifecycle],
      useFactory: async (mail) => (mail as MailLifecycle).start(), // as `inject` says
    };
    return {
      module: MailModule,
      global: isGlobal,
      imports,
      providers: [lifecycle, connection],
      exports: [EmailBackend],
    };
  }
}

/** The service between the start and the end of the application, which Nest tells it. */
export class MailLifecycle {
  readonly #options: MailServiceOptions;
  #service: MailService | null = null;

  constructor(options: MailServiceOptions) {
    this.#options = options;
  }

  /** Opens the connection. */
  async start(): Promise<EmailBackend> {
    this.#service = await startMail(this.#options, MailModule);
    return this.#service.connection;
  }

  /** Closes it. */
  async onApplicationShutdown(signal?: string): Promise<void> {
    await this.#service?.close(signal);
  }
}
