import { formatLsn, parseLsn, type Lsn } from './lsn.ts'

/**
 * What a publication of ours says of itself, as its comment. A slot can have none: the mark names the slot that was made with the
 * publication, which is how a slot is known to be ours. A name alone proves nothing: anybody may choose one that begins like ours.
 */
export interface PublicationMark {
  readonly slot: string
  /** The slot was dropped because it kept too much: `open` until one is made in its place, then where that begins. */
  readonly dropped?: 'open' | Lsn | undefined
}

const MARK = /^managed by tidemark for slot ([a-z0-9_]{1,63})(; dropped)?(?: before ([0-9A-F]{1,8}\/[0-9A-F]{1,8}))?$/

export function printMark({ slot, dropped }: PublicationMark): string {
  const note = dropped === undefined ? '' : dropped === 'open' ? '; dropped' : `; dropped before ${formatLsn(dropped)}`
  return `managed by tidemark for slot ${slot}${note}`
}

/** `undefined`: it is another's. */
export function parseMark(comment: string | null | undefined): PublicationMark | undefined {
  const [, slot, note, before] = MARK.exec(comment ?? '') ?? []
  if (slot === undefined) return undefined
  if (note === undefined) return { slot }
  return { slot, dropped: before === undefined ? 'open' : parseLsn(before) }
}
