/** What the pages use of a framework that is not installed here. */
declare module 'h3' {
  export function defineEventHandler<T>(handler: (event: object) => Promise<T>): (event: object) => Promise<T>;
  export function readBody<T>(event: object): Promise<T>;
}
