import * as sdk from '@aws-sdk/client-sesv2';
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest';
import { UnsupportedFeatureError } from '../../../src/model/errors.ts';
import { StrictSes } from '../../servers/strict-ses.ts';
import { closeAll, connectTo, errorOf, mail } from './connect.ts';

// The SDK as it was before 3.1125.0: it does not know ConfigurationOverrides.
vi.mock('../../../src/options/optional-package.ts', () => ({
  optionalRequire: () => ({ ...sdk, SendEmailRequest$: without(sdk.SendEmailRequest$) }),
}));

function without(schema: unknown): unknown {
  const copy = [...(schema as readonly unknown[])]; // [kind, namespace, name, traits, members, ...]
  copy[4] = (copy[4] as readonly string[]).filter((member) => member !== 'ConfigurationOverrides');
  return copy;
}

let ses: StrictSes;
const client = () => ({
  client: new sdk.SESv2Client({
    endpoint: ses.endpoint,
    region: 'eu-west-1',
    credentials: { accessKeyId: 'OWN', secretAccessKey: 'x' },
  }),
});
beforeAll(async () => {
  ses = await StrictSes.start();
});
afterAll(() => ses.close());
afterEach(async () => {
  await closeAll();
  ses.reset();
});

test('an SDK that cannot carry tracking: the mail goes, and tracking is listed as ignored', async () => {
  const connection = connectTo(ses, client());
  const status = await connection.sendMessages([mail({ trackOpens: true, trackClicks: true })]);
  expect(status.results[0]?.ignored).toEqual(['trackOpens', 'trackClicks']);
  const needed = 'needs @aws-sdk/client-sesv2 3.1125.0';
  expect(status.results[0]?.ignoredReasons).toEqual({ trackOpens: needed, trackClicks: needed });
  expect(status.isSuccess).toBe(true);
  const plain = await connection.sendMessages([mail({})]);
  expect(plain.results[0]?.ignored).toEqual([]);
  expect(plain.results[0]).not.toHaveProperty('ignoredReasons');
  expect(ses.accepted[0]?.request).not.toHaveProperty('ConfigurationOverrides');
  expect((await connection.verify()).details['tracking']).toBe('needs @aws-sdk/client-sesv2 3.1125.0');
});

test('onUnsupported: error makes it one, with the version that has it', async () => {
  const error = await errorOf(
    connectTo(ses, { ...client(), onUnsupported: 'error' }).sendMessages([mail({ trackClicks: true })]),
  );
  expect(error).toBeInstanceOf(UnsupportedFeatureError);
  expect(error).toMatchObject({ features: ['trackClicks'], message: expect.stringContaining('3.1125.0') });
  expect(ses.requests).toEqual([]);
});
