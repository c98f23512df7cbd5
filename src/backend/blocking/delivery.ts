import { ConfigurationError } from '../../model/errors.ts';
import { requireOwn } from '../../options/own-file.ts';
import { refuseInWorkerd } from '../../options/refuse-in-workerd.ts';
import type { WorkerDelivery } from './bridge.ts';

/** What the worker thread makes the same connection from: a backend's name or specifier, and options that can be cloned. */
export interface Recipe {
  readonly backend: string;
  readonly options: object;
}

const recipes = new WeakMap<object, Recipe>();
const deliveries = new WeakMap<object, WorkerDelivery>();

/** Lets a connection deliver in a worker thread, over one that is made there from its recipe. */
export function letBlock(connection: object, recipe: Recipe): void {
  recipes.set(connection, recipe);
}

/** The recipe of a connection; undefined for one that cannot be made in another thread. */
export function recipeOf(connection: object): Recipe | undefined {
  return recipes.get(connection);
}

/** The delivery in a worker thread that a connection has begun; undefined before its first blocking call. */
export function blockingDelivery(connection: object): WorkerDelivery | undefined {
  return deliveries.get(connection);
}

/**
 * {@link blockingDelivery}, begun if need be.
 *
 * @throws {ConfigurationError} `not-blocking` for a connection that cannot be made in another thread; `load-failed` in a bundle.
 */
export function beginBlockingDelivery(connection: object, name: string): WorkerDelivery {
  const begun = deliveries.get(connection);
  if (begun !== undefined) return begun;
  refuseInWorkerd('not-blocking', 'blocking calls do not work', 'there are no threads; use sendMail or sendMessages');
  const recipe = recipeOf(connection);
  if (recipe === undefined) {
    throw new ConfigurationError(
      'not-blocking',
      `a blocking call cannot use this '${name}' connection, as a worker thread cannot make one like it: ` +
        "get it by name or by 'specifier#Export', or use sendMail or sendMessages",
    );
  }
  // Relative to the file that the build puts this module into; the other one is bridge.ts.
  const bridge = requireOwn(import.meta.url, './backend/blocking/bridge', 'blocking calls need');
  const delivery = new (bridge as typeof import('./bridge.ts')).WorkerDelivery(recipe);
  deliveries.set(connection, delivery);
  return delivery;
}
