/** What is used of an SDK that has no types of its own. */
declare module 'sparkpost' {
  class SparkPost {
    constructor(key: string);
    readonly transmissions: { send(transmission: object): Promise<unknown> };
  }
  export = SparkPost;
}
