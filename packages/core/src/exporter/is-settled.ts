import type { ExportState } from './export-state.ts'

/** Whether nothing is left to do: ended, cleaned up, and its callback delivered or given up. */
export function isSettled({ status, isCleanupDue, callback }: Pick<ExportState, 'status' | 'isCleanupDue' | 'callback'>): boolean {
  if (status === 'pending' || status === 'processing' || isCleanupDue) return false
  return status === 'cancelled' || callback?.outcome !== 'pending'
}
