import type { Verification } from '../../backend/backend.ts';
import { type Finding, fault, ok, warning } from './finding.ts';

type Details = Verification['details'];

/**
 * What a provider's answer to its harmless request means.
 *
 * @param domain that of the sender; null when it is not known
 */
export function judgeProvider(backend: string, details: Details, domain: string | null): readonly Finding[] {
  const { isInSandbox, canSend, canOnlySend, domains, state, credits, deliveryType, token } = details;
  const facts = Object.entries(details).flatMap(([name, value]) => (value === null ? [] : [`${name} ${value}`]));
  const findings = [ok('connect', ['verify() succeeded', ...facts].join(', '))];
  if (isInSandbox === true) {
    const text = 'the account is in the sandbox of SES: only verified addresses get mail';
    findings.push(warning('server', text, 'ask for production access in the SES console'));
  }
  if (canSend === false)
    findings.push(fault('login', 'the key may not send mail', 'give a key with the scope mail.send'));
  if (typeof token === 'string' && token !== 'active')
    findings.push(fault('login', `the token is ${token}`, `make another one at ${backend}`));
  if (canOnlySend === true) {
    const text = 'the key may only send, so that it is not known whether the domain of the sender is verified';
    findings.push(ok('sender', text));
  }
  if (typeof domains === 'string' && domain !== null) findings.push(judgeDomain(backend, domains.split(' '), domain));
  if (typeof state === 'string' && state !== 'active') {
    const text = `the domain ${details['domain']} is ${state} at ${backend}: it sends nothing, or little`;
    findings.push(fault('sender', text, 'publish the DNS records that the provider shows for it, and verify it there'));
  }
  if (credits === 0)
    findings.push(warning('server', 'the account has no credits left', 'mails are refused until it has'));
  if (deliveryType === 'Sandbox') {
    const text = 'the server is a sandbox: mails are taken and sent to nobody';
    findings.push(warning('server', text, 'give the token of a server whose type is Live'));
  }
  return findings;
}

function judgeDomain(backend: string, verified: readonly string[], domain: string): Finding {
  if (verified.includes(domain)) return ok('sender', `${domain} is verified at ${backend}`);
  const known = verified.filter((name) => name !== '').join(', ') || 'none';
  const text = `${domain} is not among the domains verified at ${backend}: ${known}`;
  return fault('sender', text, `verify it at ${backend}, or send from one that is`);
}
