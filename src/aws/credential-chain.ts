import { ConfigurationError } from '../model/errors.ts';
import type { Transport } from '../net/transport.ts';
import { currentEnvironment, type Environment } from '../options/environment.ts';
import { optionalRequire } from '../options/optional-package.ts';
import { reasonOf } from '../util/reason.ts';
import { isWorkerd } from '../util/runtime.ts';
import type { AwsCredentials } from './credentials.ts';
import { endpointOf } from './endpoint.ts';
import { MetadataSources } from './metadata.ts';
import { profileKeys } from './profile.ts';

const STS = { name: 'sts', host: 'sts', variable: 'STS' } as const;
const PEER = '@aws-sdk/credential-provider-node';

/** The part of the optional peer that is used here. */
interface ProviderModule {
  defaultProvider(): () => Promise<AwsCredentials>;
}

/**
 * Finds credentials where the SDKs of AWS do, in their order: variables, a profile, a web identity, the role of a container, that
 * of an instance (https://docs.aws.amazon.com/sdkref/latest/guide/standardized-credentials.html). A profile whose keys have to be
 * fetched, by a login, a role or a program, needs the package `@aws-sdk/credential-provider-node`.
 *
 * @throws {ConfigurationError} `invalid-credentials`, `missing-dependency`
 * @throws {EmailConnectionError} when a source does not answer.
 */
export async function findCredentials(transport: Transport, region: string): Promise<AwsCredentials> {
  const env = currentEnvironment();
  const { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey, AWS_SESSION_TOKEN: token } = env;
  if (accessKeyId && secretAccessKey && !env['AWS_PROFILE'])
    return { accessKeyId, secretAccessKey, ...(token && { sessionToken: token }) };
  const found = isWorkerd() ? null : await beyondVariables(transport, region, env); // there is nothing else there
  if (found !== null) return found;
  const text =
    'no AWS credentials were found: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or give accessKeyId and secretAccessKey';
  throw new ConfigurationError('invalid-credentials', text);
}

async function beyondVariables(transport: Transport, region: string, env: Environment): Promise<AwsCredentials | null> {
  const profile = profileKeys(env);
  if (profile === 'fetched') {
    const { defaultProvider } = optionalRequire<ProviderModule>(
      PEER,
      'an AWS profile with a login, a role or a program',
    );
    try {
      return await defaultProvider()();
    } catch (cause) {
      throw new ConfigurationError('invalid-credentials', `AWS: the profile is of no use: ${reasonOf(cause)}`, {
        cause,
      });
    }
  }
  if (profile !== null) return profile;
  const sources = new MetadataSources(transport, env);
  return (
    (await sources.webIdentity(endpointOf(STS, region, undefined, env))) ??
    (await sources.container()) ??
    (await sources.instance())
  );
}
