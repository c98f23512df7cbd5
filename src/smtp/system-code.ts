/** The code of an error of Node or the system, as `ECONNREFUSED`; '' when it has none. */
export function systemCode(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : '';
}
