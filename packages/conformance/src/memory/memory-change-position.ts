import { fromSequence, toSequence, type LogPosition } from '@tidemark/core/adapter'

/** A place in a memory log. */
export interface MemoryPlace {
  readonly number: number
  readonly stamp: string
  /** The merged transaction that the place lies within: numbers of its first and last record. */
  readonly within?: { readonly first: number; readonly end: number } | undefined
}

export function toLogPosition(epoch: string, { number, stamp, within }: MemoryPlace): LogPosition {
  const detail = within === undefined ? stamp : `${stamp} ${within.first} ${within.end}`
  return { epoch, sequence: toSequence(number), detail }
}

export function toMemoryPlace({ sequence, detail }: LogPosition): MemoryPlace {
  const [stamp = '', first, end] = detail.split(' ')
  const within = first === undefined ? undefined : { first: Number(first), end: Number(end) }
  return { number: Number(fromSequence(sequence)), stamp, within }
}
