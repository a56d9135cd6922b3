import { TidemarkError } from '../errors/tidemark-error.ts'
import type { ExportStatus } from './export-status.ts'

/** Why an export did not complete. */
export function failureOf(status: ExportStatus | undefined): TidemarkError {
  const { code, message, remedy, detail } = status?.error ?? { code: 'EXPORT_NOT_READY' as const, message: 'The export was cancelled.', remedy: undefined, detail: undefined }
  return new TidemarkError(code, message, { remedy, detail })
}
