import { SESv2Client } from '@aws-sdk/client-sesv2';
import { expect, test } from 'vitest';
import { endpointOf } from '../../src/aws/endpoint.ts';

const SES = { name: 'ses', host: 'email', variable: 'SESV2' } as const;
const client = new SESv2Client({ region: 'us-east-1' });

const REGIONS = ['us-east-1', 'eu-west-1', 'ap-southeast-7', 'us-gov-west-1', 'cn-north-1', 'us-iso-east-1'];
const OTHERS = [
  'us-isob-east-1',
  'us-isof-south-1',
  'eu-isoe-west-1',
  'eusc-de-east-1',
  'mx-central-1',
  'il-central-1',
];

test.each([...REGIONS, ...OTHERS])('the addresses in %s are those of the SDK', (region) => {
  const flags = [true, false];
  const all = flags.flatMap((isDual) => flags.map((isFips) => [isDual, isFips] as const));
  for (const [isDual, isFips] of all) {
    for (const id of [undefined, 'abc.123']) {
      if (id !== undefined && isFips) continue; // they exclude each other
      const given = {
        Region: region,
        UseDualStack: isDual,
        UseFIPS: isFips,
        ...(id !== undefined && { EndpointId: id }),
      };
      const env = {
        ...(isDual && { AWS_USE_DUALSTACK_ENDPOINT: 'true' }),
        ...(isFips && { AWS_USE_FIPS_ENDPOINT: 'true' }),
      };
      const theirs = client.config.endpointProvider(given).url.href.replace(/\/$/, '');
      expect([isDual, isFips, id, endpointOf(SES, region, id, env)]).toEqual([isDual, isFips, id, theirs]);
    }
  }
});

test.each([
  [{ AWS_ENDPOINT_URL: 'http://a' }, 'http://a'],
  [{ AWS_ENDPOINT_URL: 'http://a', AWS_ENDPOINT_URL_SESV2: 'http://b' }, 'http://b'],
  [
    { AWS_ENDPOINT_URL: 'http://a', AWS_IGNORE_CONFIGURED_ENDPOINT_URLS: 'true' },
    'https://email.eu-west-1.amazonaws.com',
  ],
])('%o: %s', (env, expected) => {
  expect(endpointOf(SES, 'eu-west-1', undefined, env)).toBe(expected);
});
