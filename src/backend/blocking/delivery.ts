import { ConfigurationError } from '../../model/errors.ts';
import { refuseInWorkerd } from '../../options/refuse-in-workerd.ts';
import type { DeliveryResult, Job } from '../job.ts';

/** Delivers for one connection while its thread waits: another thread sends over an equal connection. */
export interface BlockingDelivery {
  /**
   * @param name the connection's, for errors
   * @param fail makes the result of a job that failed, or whose outcome is unknown, because of `error`
   * @throws {ConfigurationError} `not-blocking` when an option of the connection cannot be passed to another thread.
   */
  deliver(
    name: string,
    jobs: readonly Job[],
    fail: (job: Job, error: unknown) => DeliveryResult,
  ): readonly DeliveryResult[];
  /** Closes the other thread's connection, if there is one. */
  close(): void;
}

const deliveries = new WeakMap<object, BlockingDelivery>();

/** Lets a connection deliver in another thread, as its maker knows how to make an equal one there. */
export function letBlock(connection: object, delivery: BlockingDelivery): void {
  deliveries.set(connection, delivery);
}

/** How a connection delivers in another thread; null for one that cannot be made there. */
export function blockingDelivery(connection: object): BlockingDelivery | null {
  return deliveries.get(connection) ?? null;
}

/**
 * {@link blockingDelivery}, required.
 *
 * @throws {ConfigurationError} `not-blocking` where there is none.
 */
export function needBlockingDelivery(connection: object, name: string): BlockingDelivery {
  refuseInWorkerd('not-blocking', 'blocking calls do not work', 'there are no threads; use sendMail or sendMessages');
  const delivery = blockingDelivery(connection);
  if (delivery !== null) return delivery;
  throw new ConfigurationError(
    'not-blocking',
    `a blocking call cannot use this '${name}' connection, as a worker thread cannot make one like it: ` +
      "get it by name or by 'specifier#Export', or use sendMail or sendMessages",
  );
}
