import { EmailBackend } from '../backend/backend.ts';
import { type MailService, type MailServiceOptions, startMail } from '../connection/mail-service.ts';
import { Outbox } from '../connection/outbox.ts';
import { OutboxHealthIndicator } from './nest/outbox-health.ts';

export { type HealthResult, OutboxHealthIndicator } from './nest/outbox-health.ts';

/** Options of {@link MailModule.forRoot}. */
export interface NestMailOptions extends MailServiceOptions {
  /** Whether every module can inject the connection without importing this one; default true. */
  readonly isGlobal?: boolean;
}

/** Options of {@link MailModule.forRootAsync}. */
export interface NestMailAsyncOptions<M, T> {
  /** The modules that provide the dependencies in `inject`. */
  readonly imports?: M[];
  /** The tokens of the arguments of `useFactory`, in order. */
  readonly inject?: T[];
  /** Makes the options. */
  useFactory(...dependencies: never[]): MailServiceOptions | Promise<MailServiceOptions>;
  /** As in {@link NestMailOptions}. */
  readonly isGlobal?: boolean;
}

/** A provider for Nest's container. */
export interface NestProvider<T> {
  /** The token. */
  readonly provide: abstract new (
    ...dependencies: never[]
  ) => object;
  /** The tokens of the arguments of `useFactory`, in order. */
  readonly inject: T[];
  /** Makes the provided object. */
  readonly useFactory: (...dependencies: unknown[]) => Promise<object | null>;
}

/** A module for Nest's container. */
export interface NestDynamicModule<M, T> {
  /** The class of the module. */
  readonly module: typeof MailModule;
  /** Whether every other module sees its exports. */
  readonly global: boolean;
  /** The modules that provide the dependencies of its providers. */
  readonly imports: M[];
  /** The connection, and its lifecycle. */
  readonly providers: NestProvider<T | typeof MailLifecycle>[];
  /** The tokens of the connection, the outbox, and its health. */
  readonly exports: (typeof EmailBackend | typeof Outbox | typeof OutboxHealthIndicator)[];
}

/**
 * Nest module that provides the connection under the token `EmailBackend`. It is opened with the application, and `app.close()`
 * finishes the mails under way and closes it; so do SIGTERM and SIGINT before they end the process. The tokens `Outbox`
 * (`amsdal-mail/outbox`) and {@link OutboxHealthIndicator} stand for the outbox that is given or that the connection is; without
 * one, `Outbox` is null.
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
// biome-ignore lint/complexity/noStaticOnlyClass: a Nest module is a class
export class MailModule {
  /** Makes the module with given options. */
  static forRoot(options: NestMailOptions = {}): NestDynamicModule<never, never> {
    return MailModule.forRootAsync({ useFactory: () => options, isGlobal: options.isGlobal ?? true });
  }

  /** Makes the module with options from other providers, such as a configuration service. */
  static forRootAsync<M = never, T = never>(options: NestMailAsyncOptions<M, T>): NestDynamicModule<M, T> {
    const { imports = [], inject = [], isGlobal = true } = options;
    const lifecycle: NestProvider<T> = {
      provide: MailLifecycle,
      inject,
      // Nest passes the dependencies in `inject`, in order.
      useFactory: async (...dependencies) => new MailLifecycle(await options.useFactory(...(dependencies as never[]))),
    };
    const provided = (
      provide: NestProvider<never>['provide'],
      of: (service: MailService) => object | null,
    ): NestProvider<typeof MailLifecycle> => ({
      provide,
      inject: [MailLifecycle],
      useFactory: async (mail) => of(await (mail as MailLifecycle).start()), // the one in `inject`
    });
    return {
      module: MailModule,
      global: isGlobal,
      imports,
      providers: [
        lifecycle,
        provided(EmailBackend, ({ connection }) => connection),
        provided(Outbox, ({ outbox }) => outbox),
        provided(OutboxHealthIndicator, ({ outbox }) => new OutboxHealthIndicator(outbox)),
      ],
      exports: [EmailBackend, Outbox, OutboxHealthIndicator],
    };
  }
}

/** Opens and closes the connection with the application. */
export class MailLifecycle {
  readonly #options: MailServiceOptions;
  #service: Promise<MailService> | null = null;

  constructor(options: MailServiceOptions) {
    this.#options = options;
  }

  /** Opens the connection, once. */
  start(): Promise<MailService> {
    this.#service ??= startMail(this.#options, MailModule);
    return this.#service;
  }

  /** Closes it. */
  async onApplicationShutdown(signal?: string): Promise<void> {
    await (await this.#service)?.close(signal);
  }
}
