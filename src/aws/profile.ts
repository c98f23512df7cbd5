import type { Environment } from '../options/environment.ts';
import type { AwsCredentials } from './credentials.ts';

/** What the files of the AWS command line say of a profile; null when they say nothing. */
type Profile = Readonly<Record<string, string>>;

/** Settings of profiles whose keys have to be fetched, by a role, a login or a program. */
const FETCHED = /^(?:role_arn|credential_process|sso_|login_session|web_identity_token_file)/;

/** The keys that stand in a profile; `fetched` when they have to be had in some other way that it names; null when it has none. */
export function profileKeys(env: Environment): AwsCredentials | 'fetched' | null {
  const profile = readProfile(env);
  const { aws_access_key_id: accessKeyId, aws_secret_access_key: secretAccessKey } = profile;
  const isRole = profile['role_arn'] && (profile['source_profile'] || profile['credential_source']);
  // Keys come before a login, and after a role.
  if (isRole || !accessKeyId || !secretAccessKey)
    return Object.keys(profile).some((name) => FETCHED.test(name)) ? 'fetched' : null;
  const sessionToken = profile['aws_session_token'];
  return { accessKeyId, secretAccessKey, ...(sessionToken && { sessionToken }) };
}

/** The profile that AWS_PROFILE names, or `default` (https://docs.aws.amazon.com/sdkref/latest/guide/file-format.html). */
function readProfile(env: Environment): Profile {
  const file = (variable: string, name: string): string => env[variable] || inHome(name);
  const name = env['AWS_PROFILE'] || 'default';
  const config = readSections(file('AWS_CONFIG_FILE', 'config'));
  const credentials = readSections(file('AWS_SHARED_CREDENTIALS_FILE', 'credentials'));
  return { ...config[name], ...config[`profile ${name}`], ...credentials[name] };
}

/** '' for a user without a home, as containers have. */
function inHome(name: string): string {
  const { join } = process.getBuiltinModule('node:path');
  try {
    return join(process.getBuiltinModule('node:os').homedir(), '.aws', name);
  } catch {
    return '';
  }
}

/** The settings of each section of an INI file; none of one that cannot be read. */
function readSections(path: string): Readonly<Record<string, Profile>> {
  const sections: Record<string, Record<string, string>> = Object.create(null);
  let section: Record<string, string> = {};
  for (const line of readLines(path)) {
    const title = /^\s*\[\s*(.+?)\s*\]/.exec(line)?.[1];
    if (title !== undefined) {
      section = sections[title.replace(/\s+/g, ' ')] ??= {};
      continue;
    }
    // Indented lines belong to a setting that has settings of its own.
    const [, name, value] = /^([^\s=#;][^=]*?)\s*=\s*(.*?)(?:\s+[#;].*)?\s*$/.exec(line) ?? [];
    if (name !== undefined) section[name.toLowerCase()] = value ?? '';
  }
  return sections;
}

function readLines(path: string): readonly string[] {
  try {
    return process.getBuiltinModule('node:fs').readFileSync(path, 'utf8').split(/\r?\n/);
  } catch {
    return [];
  }
}
