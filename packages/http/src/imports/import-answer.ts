import * as v from 'valibot'
import { isoTime } from '../answers/iso-time.ts'
import { errorShape, isoTime as isoTimeShape, wholeNumber } from '../routes/shapes.ts'
import type { ImportStanding } from './import-jobs.ts'

export const importShape = v.object({
  importId: v.string(),
  exportId: v.string(),
  status: v.picklist(['loading', 'completed', 'failed', 'stopped']),
  isRunning: v.boolean(),
  totalRowsImported: wholeNumber, totalRows: v.optional(wholeNumber),
  totalBytesImported: wholeNumber, totalBytes: wholeNumber,
  notes: v.array(v.string()),
  createdAt: isoTimeShape, updatedAt: isoTimeShape,
  error: v.optional(v.string()),
  problem: v.optional(errorShape),
})

/** In the words of an export. `isRunning` is of this handler: another may be at the same. */
export function importAnswer({ note, isRunning }: ImportStanding): v.InferOutput<typeof importShape> {
  const { importId, status, rows, totalRows, bytes, totalBytes, notes, error, createdAtMs, updatedAtMs } = note
  return {
    importId,
    exportId: importId,
    status, isRunning,
    totalRowsImported: rows, totalRows,
    totalBytesImported: bytes, totalBytes,
    notes: [...notes],
    createdAt: isoTime(createdAtMs),
    updatedAt: isoTime(updatedAtMs),
    error: error?.message,
    problem: error,
  }
}
