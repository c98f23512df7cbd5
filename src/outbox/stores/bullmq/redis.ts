/** What is used of the client that BullMQ makes of any driver's. */
export interface RedisClient {
  readonly status: string;
  readonly isCluster: boolean;
  defineCommand(name: string, definition: { readonly numberOfKeys: number; readonly lua: string }): void;
  runCommand(name: string, values: readonly (string | number)[]): Promise<unknown>;
  info(): Promise<string>;
  duplicate(): RedisClient;
  disconnect(): void;
  on(event: 'error' | 'ready' | 'end', listener: (error?: Error) => void): unknown;
  off(event: 'error' | 'ready' | 'end', listener: (error?: Error) => void): unknown;
  /** Waits for what is added to a stream; null when nothing was. */
  xread(
    streams: readonly { readonly key: string; readonly id: string }[],
    options: { readonly BLOCK: number },
  ): Promise<readonly (readonly [string, readonly (readonly [string, unknown])[]])[] | null>;
}

/** What is used of the package bullmq. */
export interface BullModule {
  readonly Queue: new (
    name: string,
    options: {
      readonly connection: object;
      readonly prefix: string;
      readonly skipVersionCheck: boolean;
      readonly skipWaitingForReady: boolean;
    },
  ) => BullQueue;
}

export interface BullQueue {
  getBackend(): { readonly client: Promise<RedisClient> };
  toKey(type: string): string;
  on(event: 'error', listener: (error: Error) => void): unknown;
  close(): Promise<void>;
}
