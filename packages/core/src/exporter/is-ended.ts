import type { ExportState } from './export-state.ts'

/** Whether nothing will be copied any more. */
export function isEnded({ status }: Pick<ExportState, 'status'>): boolean {
  return status === 'completed' || status === 'failed' || status === 'cancelled'
}
