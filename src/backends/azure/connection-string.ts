/** What a connection string says. */
export interface Resource {
  /** The address of the resource, without a slash at its end. */
  readonly endpoint: string;
  /** In base64. */
  readonly accessKey: string;
}

/** An address of a resource: a URL without a path, or the host alone. */
const ENDPOINT = /^(?:https?:\/\/)?[a-z\d](?:[a-z\d.-]*[a-z\d])?(?::\d{1,5})?\/?$/i;
const BASE64 = /^[A-Za-z\d+/]{16,}={0,2}$/;

/** Whether a text can be the address of a resource. */
export function isEndpoint(text: string): boolean {
  return ENDPOINT.test(text) && URL.canParse(endpointUrl(text));
}

/** Whether a text can be an access key. */
export function isAccessKey(text: string): boolean {
  return BASE64.test(text);
}

/** An address as a URL, over TLS where it does not say. */
export function endpointUrl(endpoint: string): string {
  const url = endpoint.replace(/\/$/, '');
  return /^https?:/i.test(url) ? url : `https://${url}`;
}

/** Reads `endpoint=https://...;accesskey=...`; null when it is none. */
export function readConnectionString(text: string): Resource | null {
  const parts = new Map(
    text.split(';').map((part) => {
      const at = part.indexOf('=');
      return [part.slice(0, at).trim().toLowerCase(), part.slice(at + 1).trim()] as const;
    }),
  );
  const endpoint = parts.get('endpoint') ?? '';
  const accessKey = parts.get('accesskey') ?? '';
  return isEndpoint(endpoint) && isAccessKey(accessKey) ? { endpoint: endpointUrl(endpoint), accessKey } : null;
}
