import { TidemarkError } from '@tidemark/core/adapter'

/** A place in the write-ahead log: 64 bits. Only places that the server gave are ever sent back to it. */
export type Lsn = bigint

const LSN = /^([0-9A-F]{1,8})\/([0-9A-F]{1,8})$/

/** `16/B374D848`. Errors: `SOURCE_CORRUPT_RESULT`. */
export function parseLsn(text: string | null | undefined): Lsn {
  const match = LSN.exec(text ?? '')
  if (match === null) throw new TidemarkError('SOURCE_CORRUPT_RESULT', 'The source gave a log position that is none.')
  return (BigInt(`0x${match[1]}`) << 32n) | BigInt(`0x${match[2]}`)
}

export function formatLsn(lsn: Lsn): string {
  return `${(lsn >> 32n).toString(16).toUpperCase()}/${(lsn & 0xffff_ffffn).toString(16).toUpperCase()}`
}
