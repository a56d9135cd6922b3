import { TidemarkError } from '../errors/tidemark-error.ts'

/** S3's limit, in bytes of UTF-8. */
const MAX_KEY_BYTES = 1_024

/** Errors: `CONFIG_INVALID` for a key that some storage would read as another place. */
export function checkKey(key: string): void {
  const isFit = key !== '' && new TextEncoder().encode(key).length <= MAX_KEY_BYTES && !/[\p{Cc}\p{Cs}\\]/u.test(key)
    && key.split('/').every((segment) => segment !== '' && segment !== '.' && segment !== '..')
  if (!isFit) throw new TidemarkError('CONFIG_INVALID', 'The key of an object is not allowed.', { issues: [{ path: 'key', message: 'Must be segments of printable characters with `/` between them, none of them empty, `.` or `..`.' }] })
}
