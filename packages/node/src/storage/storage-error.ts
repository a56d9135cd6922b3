import { TidemarkError, type ErrorCode } from '@tidemark/core/adapter'

const CODES: Readonly<Record<string, ErrorCode>> = {
  ENOSPC: 'STORAGE_FULL', EDQUOT: 'STORAGE_FULL', EFBIG: 'STORAGE_FULL', EACCES: 'STORAGE_AUTH_FAILED', EPERM: 'STORAGE_AUTH_FAILED', EROFS: 'STORAGE_AUTH_FAILED', EMFILE: 'STORAGE_BUSY', ENFILE: 'STORAGE_BUSY',
}

/** What the file system reported, without its path. */
export function storageError(error: unknown): TidemarkError {
  if (error instanceof TidemarkError) return error
  const name = codeOf(error)
  return new TidemarkError(CODES[name] ?? 'STORAGE_FAILED', `The folder reported an error (${name}).`, { detail: name, cause: error })
}

/** `ENOENT` and the like; the class's name for what has none. */
export function codeOf(error: unknown): string {
  if (typeof error === 'object' && error !== null && 'code' in error && typeof error.code === 'string') return error.code
  return error instanceof Error ? error.name : typeof error
}
