import type { ExportStatus } from '@tidemark/core'
import * as v from 'valibot'
import { isoTime } from '../answers/iso-time.ts'
import { errorShape, isoTime as isoTimeShape, wholeNumber } from '../routes/shapes.ts'

export const exportShape = v.object({
  exportId: v.string(),
  status: v.picklist(['pending', 'processing', 'completed', 'failed', 'cancelled']),
  r2Key: v.string(),
  totalRowsExported: wholeNumber, tablesTotal: wholeNumber, tablesProcessed: wholeNumber,
  createdAt: isoTimeShape, updatedAt: isoTimeShape,
  error: v.optional(v.string()),
  problem: v.optional(errorShape),
  format: v.string(), layout: v.picklist(['single', 'directory']), consistency: v.string(),
  totalBytesExported: wholeNumber, estimatedRows: v.optional(v.number()), estimatedBytes: v.optional(v.number()),
  attempt: wholeNumber, notes: v.array(v.string()),
  callback: v.optional(v.object({ outcome: v.string(), attempts: wholeNumber, nextAtMs: v.optional(v.number()), error: v.optional(errorShape) })),
  completedAt: v.optional(isoTimeShape), nextAtMs: v.optional(v.number()),
})

export const acceptedShape = v.object({ exportId: v.string(), status: exportShape.entries.status, message: v.string(), r2Key: v.string(), totalRowsExported: wholeNumber })

/** The prior design's names, and ours for what that had not. `error` is the message, `problem` all of it. */
export function exportAnswer(status: ExportStatus): v.InferOutput<typeof exportShape> {
  const { exportId, key, totalRowsExported, tablesTotal, tablesProcessed, createdAtMs, updatedAtMs, completedAtMs, error } = status
  const { format, layout, consistency, totalBytesExported, estimatedRows, estimatedBytes, attempt, notes, callback, nextAtMs } = status
  return {
    exportId,
    status: status.status,
    r2Key: key,
    totalRowsExported, tablesTotal, tablesProcessed,
    createdAt: isoTime(createdAtMs),
    updatedAt: isoTime(updatedAtMs),
    error: error?.message,
    problem: error,
    format, layout, consistency, totalBytesExported, estimatedRows, estimatedBytes, attempt, callback, nextAtMs,
    notes: [...notes],
    completedAt: completedAtMs === undefined ? undefined : isoTime(completedAtMs),
  }
}

/** What is told while an export is under way. */
export function acceptedAnswer({ exportId, status, key, totalRowsExported }: ExportStatus): v.InferOutput<typeof acceptedShape> {
  return { exportId, status, message: 'The export goes on. Ask for its status, and download it when it is completed.', r2Key: key, totalRowsExported }
}
