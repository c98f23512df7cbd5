/** What may stand as a domain in the path of a request. */
export const DOMAIN: RegExp = /^[a-z\d](?:[a-z\d.-]*[a-z\d])?$/i;
