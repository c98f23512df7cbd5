/** What answers requests by the Fetch standard, such as `outbox.dashboard()`. */
export type WebHandler = (request: Request) => Response | Promise<Response>;
