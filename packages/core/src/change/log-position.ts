declare const sequenceBrand: unique symbol

/** A place in a log as text whose string order is log order. Never reused within an epoch. */
export type Sequence = string & { readonly [sequenceBrand]: true }

/**
 * The place of a commit in one log. The epoch says which log: it changes when the log is made anew, so that a position of
 * another database, or of one restored from a backup, is never taken for one of this.
 */
export interface LogPosition {
  readonly epoch: string
  readonly sequence: Sequence
  /** What else the source needs to go on from here, opaque: a digest of the row there, a GTID set. May be empty. */
  readonly detail: string
}

const RADIX = 36

/**
 * A number as text that sorts like the number: its digits in base 36 behind their count. Source: the LexiVersion of
 * rocicorp/mono. Up to 36 digits, so far beyond 64 bits.
 */
export function toSequence(value: number | bigint): Sequence {
  const digits = value.toString(RADIX)
  return `${(digits.length - 1).toString(RADIX)}${digits}` as Sequence // the one place that makes them
}

/** The reverse of {@link toSequence}. */
export function fromSequence(sequence: Sequence): bigint {
  let value = 0n
  for (const digit of sequence.slice(1)) value = value * 36n + BigInt(Number.parseInt(digit, RADIX))
  return value
}

/** A place behind `sequence` and before every number that is greater: the `part`th within a transaction. Not for {@link fromSequence}. */
export function partSequence(sequence: Sequence, part: number): Sequence {
  return `${sequence}.${toSequence(part)}` as Sequence // sorts behind its beginning
}

/** Text to show and to compare by: epoch and sequence. */
export function printPosition(position: Pick<LogPosition, 'epoch' | 'sequence'>): string {
  return `${position.epoch}:${position.sequence}`
}
