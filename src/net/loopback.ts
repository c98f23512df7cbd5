const LOOPBACK = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])$/;

/** Whether the host of a URL, as `new URL` reads it, is this machine, so that nobody else sees what is sent there. */
export function isLoopback({ hostname }: URL): boolean {
  return LOOPBACK.test(hostname);
}
