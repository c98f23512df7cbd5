import { describe, expect, expectTypeOf, it } from 'vitest';
import { ConfigurationError } from '../../src/model/errors.ts';
import { checkOAuth2, type OAuth2Options } from '../../src/net/oauth-options.ts';

const URL = 'https://login.example.com/token';
const BY_REFRESH = { clientId: 'app', refreshToken: 's3cr3t-refresh', tokenUrl: URL };
const BY_CLIENT = { clientId: 'app', clientSecret: 's3cr3t-client', tokenUrl: URL, scope: 'mail' };

describe('the option oauth2', () => {
  it.each<[OAuth2Options]>([
    [BY_REFRESH],
    [{ ...BY_REFRESH, clientSecret: 'x', scope: 'a b', onRefreshToken: () => {} }],
    [BY_CLIENT],
    [{ ...BY_REFRESH, tokenUrl: 'https://login.example.com:8443/a/b?tenant=c' }],
    [{ ...BY_REFRESH, tokenUrl: 'http://localhost:8080/token' }],
    [{ ...BY_REFRESH, tokenUrl: 'http://127.0.0.1/token' }],
    [{ ...BY_REFRESH, tokenUrl: 'http://[::1]:8080/token' }],
  ])('may be %j', (options) => {
    expect(() => checkOAuth2(options)).not.toThrow();
  });

  it.each<[object, string, string]>([
    [{}, 'missing-option', 'oauth2.clientId'],
    [{ ...BY_REFRESH, clientId: '' }, 'invalid-option', 'oauth2.clientId'],
    [{ clientId: 'app', refreshToken: 'x' }, 'missing-option', 'oauth2.tokenUrl'],
    [{ clientId: 'app', tokenUrl: URL }, 'missing-option', 'oauth2.refreshToken'],
    [{ clientId: 'app', clientSecret: 's3cr3t', tokenUrl: URL }, 'missing-option', 'oauth2.scope'],
    [{ ...BY_CLIENT, onRefreshToken: () => {} }, 'missing-option', 'oauth2.refreshToken'],
    [{ ...BY_REFRESH, refreshToken: '' }, 'invalid-option', 'oauth2.refreshToken'],
    [{ ...BY_REFRESH, refreshToken: 's3cr3t\n' }, 'invalid-option', 'oauth2.refreshToken'],
    [{ ...BY_CLIENT, clientSecret: 's3cr3t\0' }, 'invalid-option', 'oauth2.clientSecret'],
    [{ ...BY_CLIENT, scope: '' }, 'invalid-option', 'oauth2.scope'],
    [{ ...BY_REFRESH, tokenUrl: 'login.example.com/token' }, 'invalid-option', 'oauth2.tokenUrl'],
    [{ ...BY_REFRESH, tokenUrl: 'ftp://login.example.com/token' }, 'invalid-option', 'oauth2.tokenUrl'],
    [{ ...BY_REFRESH, tokenUrl: 'http://login.example.com/token' }, 'invalid-option', 'oauth2.tokenUrl'],
    [{ ...BY_REFRESH, tokenUrl: 'http://localhost.example.com/token' }, 'invalid-option', 'oauth2.tokenUrl'],
    [{ ...BY_REFRESH, tokenUrl: 'http://127.0.0.1.example.com/token' }, 'invalid-option', 'oauth2.tokenUrl'],
    [{ ...BY_REFRESH, tokenUrl: 'http://10.0.0.1/token' }, 'invalid-option', 'oauth2.tokenUrl'],
    [{ ...BY_REFRESH, tokenUrl: 'https://app:s3cr3t@login.example.com/token' }, 'invalid-option', 'oauth2.tokenUrl'],
    [{ ...BY_REFRESH, tokenUrl: `${URL}#s3cr3t` }, 'invalid-option', 'oauth2.tokenUrl'],
  ])('%j is refused with %s naming %s', (options, code, option) => {
    const check = (): void => checkOAuth2(options as OAuth2Options); // as JavaScript, or a URL, may give it
    expect(check).toThrow(ConfigurationError);
    expect(check).toThrow(expect.objectContaining({ code, option, message: expect.stringContaining(option) }));
    expect(check).not.toThrow(expect.objectContaining({ message: expect.stringContaining('s3cr3t') }));
  });

  it('has types for the two grants, and for nothing between', () => {
    expectTypeOf(BY_REFRESH).toExtend<OAuth2Options>();
    expectTypeOf(BY_CLIENT).toExtend<OAuth2Options>();
    expectTypeOf<{ clientId: string; tokenUrl: string }>().not.toExtend<OAuth2Options>();
    expectTypeOf<{ clientId: string; clientSecret: string; tokenUrl: string }>().not.toExtend<OAuth2Options>();
    expectTypeOf<{ clientId: string; refreshToken: string }>().not.toExtend<OAuth2Options>();
    expectTypeOf<typeof BY_CLIENT & { onRefreshToken: () => void }>().not.toExtend<OAuth2Options>();
  });
});
