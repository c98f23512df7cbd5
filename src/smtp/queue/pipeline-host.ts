import type { Disconnect } from '../session/wire.ts';
import type { Delivery } from './delivery.ts';
import type { Pipeline } from './pipeline.ts';

/** Where a pipeline gets its deliveries, and what it notifies. */
export interface PipelineHost {
  /** Whether a delivery may start now. */
  readonly canStart: boolean;
  /** Whether a connection answers its messages without delay, and will soon take more. */
  readonly hasPromptPipeline: boolean;
  /** The next delivery to start, or undefined when there is none now. */
  take(): Delivery | undefined;
  /** It has started what it could. */
  onPumped(): void;
  /** A delivery that needs a further transaction, here or on another connection: it goes to the front. */
  giveBack(delivery: Delivery): void;
  /** The server answered a RSET on its own, or takes no more mail; messages may be handed out again. */
  onReset(): void;
  /** Nothing is in flight any more. */
  onIdle(pipeline: Pipeline): void;
  /** The connection is closed; nothing is in flight on it any more. */
  onClosed(pipeline: Pipeline, disconnect: Disconnect): void;
}
