import { fromSequence, toSequence, type LogPosition } from '@tidemark/core/adapter'

/** A part of a transaction too large for one slice: where it begins and ends in the log. */
export interface Unit {
  /** The number before its first entry. */
  readonly begin: number
  readonly end: number
  /** How many of its changes come before the position: fewer than entries, where an update has two or the schema changed. */
  readonly events: number
}

/** A position as this source reads it. */
export interface LogPlace {
  readonly epoch: string
  readonly seq: number
  /** Of the entry at `seq`, at a commit; `undefined` inside of a transaction, and where nobody knows it. */
  readonly digest: string | undefined
  /** Inside of a transaction: which. */
  readonly unit: Unit | undefined
}

export function toPosition(place: LogPlace): LogPosition {
  const { epoch, seq, digest, unit } = place
  const detail = unit === undefined ? (digest === undefined ? '' : `d${digest}`) : `u${unit.begin}-${unit.end}+${unit.events}`
  return { epoch, sequence: toSequence(seq), detail }
}

export function toPlace(position: LogPosition): LogPlace {
  const { epoch, sequence, detail } = position
  const unit = /^u(\d+)-(\d+)\+(\d+)$/.exec(detail)
  return {
    epoch,
    seq: Number(fromSequence(sequence)),
    digest: detail.startsWith('d') ? detail.slice(1) : undefined,
    unit: unit === null ? undefined : { begin: Number(unit[1]), end: Number(unit[2]), events: Number(unit[3]) },
  }
}
