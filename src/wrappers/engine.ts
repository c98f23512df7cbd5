/** What a wrapper loads with its first mail. */
export { deliverSync } from './sync-delivery.ts';
export { WrapperCall } from './wrapper-call.ts';
