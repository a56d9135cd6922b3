import { fromSequence, partSequence, TidemarkError, toSequence, type LogPosition, type Sequence } from '@tidemark/core/adapter'
import type { Lsn } from './lsn.ts'

/** A position as this source reads it. */
export interface LogPlace {
  readonly epoch: string
  /** Everything whose commit begins before this has been delivered. */
  readonly lsn: Lsn
  /** Within the transaction whose commit begins at `lsn`: how many of its changes have been delivered. */
  readonly delivered: number | undefined
}

export function toPosition({ epoch, lsn, delivered }: LogPlace): LogPosition {
  const sequence = toSequence(lsn)
  return { epoch, sequence: delivered === undefined ? sequence : partSequence(sequence, delivered - 1), detail: '' }
}

/** The printable place of a change behind that of its commit's beginning, as `toPosition` has it. */
export function partPosition(commit: string, change: number): string {
  return partSequence(commit as Sequence, change) // text in front of a part, as every sequence is
}

/** Errors: `STATE_CORRUPT`. */
export function toPlace({ epoch, sequence }: LogPosition): LogPlace {
  const [lsn = '', part] = sequence.split('.')
  if (!isNumber(lsn) || (part !== undefined && !isNumber(part))) throw new TidemarkError('STATE_CORRUPT', 'The position is none of a PostgreSQL log.')
  return { epoch, lsn: numberOf(lsn), delivered: part === undefined ? undefined : Number(numberOf(part)) + 1 }
}

function isNumber(text: string): boolean {
  return /^[0-9a-z]{2,37}$/.test(text) && Number.parseInt(text.slice(0, 1), 36) === text.length - 2
}

function numberOf(text: string): bigint {
  return fromSequence(text as Sequence) // looked at before
}
