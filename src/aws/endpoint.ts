import type { Environment } from '../options/environment.ts';

/** A service of AWS: how it is called in signatures, hosts and variables. */
export interface AwsService {
  /** As `ses`. */
  readonly name: string;
  /** What its hosts begin with, as `email`. */
  readonly host: string;
  /** What the variable for its address ends with, as `SESV2` in `AWS_ENDPOINT_URL_SESV2`. */
  readonly variable: string;
}

/** The domains of AWS by what their regions begin with, for addresses of IPv4 alone and with IPv6. */
const DOMAINS: readonly (readonly [start: RegExp, domain: string, dualStack: string])[] = [
  [/^cn-/, 'amazonaws.com.cn', 'api.amazonwebservices.com.cn'],
  [/^eusc-/, 'amazonaws.eu', 'api.amazonwebservices.eu'],
  [/^us-iso-/, 'c2s.ic.gov', 'api.aws.ic.gov'],
  [/^us-isob-/, 'sc2s.sgov.gov', 'api.aws.scloud'],
  [/^eu-isoe-/, 'cloud.adc-e.uk', 'api.cloud-aws.adc-e.uk'],
  [/^us-isof-/, 'csp.hci.ic.gov', 'api.aws.hci.ic.gov'],
  [/./, 'amazonaws.com', 'api.aws'],
];

/**
 * The address of a service in a region, or what the environment says instead
 * (https://docs.aws.amazon.com/sdkref/latest/guide/feature-ss-endpoints.html).
 *
 * @param multiRegionId the id of a multi-region endpoint
 */
export function endpointOf(
  { host, variable }: AwsService,
  region: string,
  multiRegionId: string | undefined,
  env: Environment,
): string {
  const isSet = (name: string): boolean => env[name]?.toLowerCase() === 'true';
  const configured = env[`AWS_ENDPOINT_URL_${variable}`] || env['AWS_ENDPOINT_URL'];
  if (configured && !isSet('AWS_IGNORE_CONFIGURED_ENDPOINT_URLS')) return configured;
  const [, only4, both] = DOMAINS.find(([start]) => start.test(region)) ?? ['', 'amazonaws.com', 'api.aws'];
  const isDual = isSet('AWS_USE_DUALSTACK_ENDPOINT');
  const domain = isDual ? both : only4;
  if (multiRegionId !== undefined) {
    const everywhere = region.startsWith('us-gov-') ? 'us-gov.' : isDual ? 'global.' : '';
    return `https://${multiRegionId}.endpoints.${host}.${everywhere}${domain}`;
  }
  return `https://${host}${isSet('AWS_USE_FIPS_ENDPOINT') ? '-fips' : ''}.${region}.${domain}`;
}
