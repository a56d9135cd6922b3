import { TidemarkError } from '@tidemark/core/adapter'

const PLAIN = /^[A-Za-z_][A-Za-z0-9_]{0,30}$/

/**
 * For what names of our own tables begin with: short enough that nothing is cut off behind it, and the same in every case of letters and
 * quoting. `path`: the option. Errors: `CONFIG_INVALID`.
 */
export function requirePlainName(name: string, { path, what }: { readonly path: string; readonly what: string }): void {
  if (PLAIN.test(name)) return
  const issues = [{ path, message: 'Must match [A-Za-z_][A-Za-z0-9_]*, at most 31 characters.' }]
  throw new TidemarkError('CONFIG_INVALID', `${what} must be a plain identifier of at most 31 characters.`, { issues })
}

/** Errors: `CONFIG_INVALID`. */
export function requireTablePrefix(prefix: string): void {
  requirePlainName(prefix, { path: 'tablePrefix', what: 'The table prefix' })
}
