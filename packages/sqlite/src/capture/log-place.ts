import { fromSequence, toSequence, type LogPosition } from '@tidemark/core/adapter'

/** A part of a transaction too large for one slice: how far it has come and where it ends. */
export interface Unit {
  /** Changes of it that came in earlier slices. */
  readonly events: number
  /** Its last number. */
  readonly end: number
  /** As its mark says, for a transaction that applied a peer's change. */
  readonly origin: string | undefined
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
  const detail = unit === undefined ? (digest === undefined ? '' : `d${digest}`) : unitText(unit)
  return { epoch, sequence: toSequence(seq), detail }
}

export function toPlace(position: LogPosition): LogPlace {
  const { epoch, sequence, detail } = position
  const unit = /^u(\d+)-(\d+)(?::(.*))?$/s.exec(detail)
  return {
    epoch,
    seq: Number(fromSequence(sequence)),
    digest: detail.startsWith('d') ? detail.slice(1) : undefined,
    unit: unit === null ? undefined : { events: Number(unit[1]), end: Number(unit[2]), origin: unit[3] },
  }
}

function unitText({ events, end, origin }: Unit): string {
  return `u${events}-${end}${origin === undefined ? '' : `:${origin}`}`
}
