import type { EmailBackend } from '../../backend/backend.ts';
import { getConnection } from '../../connection/connection.ts';
import { setVariables, takeMisspelt } from '../../connection/known-variables.ts';
import { parseMailbox } from '../../model/address.ts';
import { EmailError } from '../../model/errors.ts';
import { currentEnvironment, originOf } from '../../options/environment.ts';
import { reasonOf } from '../../util/reason.ts';
import { WrapperBackend } from '../../wrappers/wrapper-backend.ts';
import { type Command, defineCommand } from '../command.ts';
import { CONNECTION_OPTIONS, connectionTarget, emulationOptions, findMailbox } from '../connection-options.ts';
import { UsageError } from '../failure.ts';
import type { Output } from '../output.ts';
import { type Configuration, readConfiguration } from './configuration.ts';
import { dnsOf } from './dns.ts';
import { checkDomain } from './domain.ts';
import { type Finding, fault, faultOf, warning } from './finding.ts';
import { judgeProvider } from './provider.ts';
import { checkSmtp } from './server.ts';

/** `amsdal-mail check`: whether mail can be sent, and whether receivers trust it. */
export const checkCommand: Command = defineCommand({
  name: 'check',
  about:
    "Checks whether mail can be sent as configured, and whether receivers will trust it. Nothing is sent.\n\nIt shows every setting and where it comes from, connects, checks the certificate, logs in, and reads the MX, SPF, DKIM\nand DMARC records of the sender's domain.",
  options: {
    ...CONNECTION_OPTIONS,
    from: { value: 'ADDRESS', help: 'the sender whose domain is checked; default: AMSDAL_EMAIL_FROM' },
    'dkim-selector': { value: 'NAME', many: true, help: 'a DKIM key to check, s= in the signature' },
    resolver: { value: 'IP:PORT', help: "the name server to ask for the sender's records; default: the system's" },
  },
  notes:
    'Exit codes: 0 all is well, or there are warnings only; 1 something is wrong; 75 something is out of reach now; 2 wrong usage.',
  examples: [
    'npx amsdal-mail check',
    'npx amsdal-mail check --from shop@example.com --dkim-selector mail2026',
    'npx amsdal-mail check --backend gmail --json',
  ],
  async run({ values, output }) {
    const target = connectionTarget(values);
    const variables = checkVariables();
    const own = emulationOptions(values);
    await findMailbox(values);
    const connection = getConnection(target, own);
    const configuration = readConfiguration(target, own);
    const domain = domainOf(values.from ?? configuration.options['defaultFrom']);
    const dns = dnsOf(values.resolver);
    printSettings(configuration, output);
    const [server, sender] = await Promise.all([
      checkBackend(connection, configuration, values.debug === true, domain),
      domain === null ? [UNKNOWN_SENDER] : checkDomain(domain, values['dkim-selector'] ?? [], dns),
    ]);
    const checks = [...variables, ...checkGuard(configuration), ...server, ...sender];
    printChecks('Server', checks.filter(isOfServer), output);
    printChecks(
      domain === null ? 'Sender' : `Sender ${domain}`,
      checks.filter((finding) => !isOfServer(finding)),
      output,
    );
    const exitCode = exitCodeOf(checks);
    output.line(`\n${summary(checks)}`);
    const { backend, settings } = configuration;
    output.json({ isOk: exitCode === 0, backend, domain, settings, checks });
    return exitCode;
  },
});

const UNKNOWN_SENDER = warning(
  'sender',
  'no sender is known, so that no domain is checked',
  'give --from, or set AMSDAL_EMAIL_FROM',
);

async function checkBackend(
  connection: EmailBackend,
  { backend, backendClass, options }: Configuration,
  isDebugged: boolean,
  domain: string | null,
): Promise<readonly Finding[]> {
  if (backend === 'smtp') return checkSmtp(isDebugged ? { ...options, debug: true } : options);
  if (backendClass.delivers === false) {
    return [
      warning(
        'connect',
        `the ${backend} backend ${backendClass.about ?? 'sends nothing'}: there is no server to check`,
        'to send, set AMSDAL_EMAIL_URL, or give --url or --backend',
      ),
    ];
  }
  if (connection instanceof WrapperBackend) {
    const found = [...(await connection.verifyEach())];
    await connection.close();
    return found.flatMap(([name, verified]) => {
      const findings =
        verified instanceof EmailError
          ? [faultOf('connect', verified)]
          : judgeProvider(verified.backend, verified.details, domain);
      return findings.map((finding) => ({ ...finding, message: `${name}: ${finding.message}` }));
    });
  }
  try {
    const { details } = await connection.verify();
    return judgeProvider(backend, details, domain);
  } catch (error) {
    if (error instanceof EmailError) return [faultOf('connect', error)];
    const reason = reasonOf(error); // a custom backend may throw anything
    return [fault('connect', `verify() of ${backend} failed: ${reason}`, 'fix the backend, or what it needs')];
  } finally {
    await connection.close();
  }
}

/** Variables that an application does not see, or that do not exist. */
function checkVariables(): readonly Finding[] {
  const environment = currentEnvironment();
  const misspelt = takeMisspelt(environment).map(([name, meant]) =>
    warning('configuration', `there is no variable ${name}`, `did you mean ${meant}?`),
  );
  const ofFile = setVariables(environment).filter((name) => originOf(name) === 'file');
  if (ofFile.length === 0) return misspelt;
  return [
    ...misspelt,
    warning(
      'configuration',
      `only .env has ${ofFile.join(', ')}: an application does not read it by itself`,
      'start it with node --env-file=.env, or call loadEnv() or setupContribs() of amsdal-mail/app',
    ),
  ];
}

function checkGuard({ settings }: Configuration): readonly Finding[] {
  return settings
    .filter(({ name }) => name.startsWith('AMSDAL_'))
    .map(({ name, value }) =>
      warning(
        'configuration',
        `${name}=${value}: not everybody gets the mails that are sent to them`,
        `unset ${name} in production`,
      ),
    );
}

function domainOf(from: unknown): string | null {
  if (from === undefined) return null;
  try {
    const { asciiAddress } = parseMailbox(from as string); // other types are refused, too
    const domain = asciiAddress.slice(asciiAddress.lastIndexOf('@') + 1).toLowerCase();
    return domain.startsWith('[') ? null : domain;
  } catch (error) {
    throw new UsageError(`--from: ${reasonOf(error)}`);
  }
}

function isOfServer({ area }: Finding): boolean {
  return ['configuration', 'dns', 'connect', 'tls', 'login', 'server'].includes(area);
}

function exitCodeOf(checks: readonly Finding[]): number {
  const faults = checks.filter(({ level }) => level === 'error');
  if (faults.length === 0) return 0;
  return faults.every(({ isTemporary }) => isTemporary) ? 75 : 1;
}

function summary(checks: readonly Finding[]): string {
  const count = (level: Finding['level']): number => checks.filter((finding) => finding.level === level).length;
  const isTemporary = exitCodeOf(checks) === 75;
  return `errors: ${count('error')}, warnings: ${count('warning')}${isTemporary ? '; out of reach now, try again later' : ''}`;
}

function printSettings({ settings }: Configuration, output: Output): void {
  output.line(output.paint('bold', 'Configuration'));
  output.table(settings.map(({ name, value, origin }) => ['', name, value, ['dim', origin]]));
}

const COLORS = { ok: 'green', warning: 'yellow', error: 'red' } as const;

function printChecks(title: string, checks: readonly Finding[], output: Output): void {
  output.line(`\n${output.paint('bold', title)}`);
  const rows = checks.flatMap(({ level, area, message, fix }) => {
    const row = ['', [COLORS[level], level], area, message] as const;
    return fix === null ? [row] : [row, ['', '', '', ['dim', `-> ${fix}`]] as const];
  });
  output.table(rows);
}
