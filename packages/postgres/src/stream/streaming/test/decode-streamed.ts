import type { LogItem, LogItems } from '../../replication-stream.ts'
import { StreamedLog } from '../streamed-log.ts'
import type { ObservedSpool } from './observed-spool.ts'

const MEMORY_BYTES = 1024 * 1024

/** Messages as a stream brings them. */
class Messages implements LogItems {
  readonly #messages: readonly Buffer[]
  #at = 0

  constructor(messages: readonly Buffer[]) {
    this.#messages = messages
  }

  next(): LogItem | undefined {
    const bytes = this.#messages[this.#at]
    this.#at += 1
    return bytes === undefined ? undefined : { kind: 'data', bytes, from: 0, to: bytes.length }
  }
}

/** What decodes a message of protocol 1. */
export interface Decoder {
  decodeWithin(bytes: Buffer, from: number, to: number): void
}

/** All that fits into memory, without a wait. */
export function decodeStreamed(messages: readonly Buffer[], decoder: Decoder): void {
  const log = new StreamedLog(new Messages(messages), { memoryBytes: MEMORY_BYTES, maxSpoolBytes: 0, spool: undefined })
  for (let item = log.next(); item !== undefined; item = log.next()) {
    if (item.kind !== 'data') throw new Error(`Nothing is to be waited for here, and there was: ${item.kind}.`)
    decoder.decodeWithin(item.bytes, item.from, item.to)
  }
}

/** With a spool for what is more than so many bytes. Gives how many files were open when all was told. */
export async function decodeSpooled(messages: readonly Buffer[], decoder: Decoder, settings: { readonly memoryBytes: number; readonly spool: ObservedSpool }): Promise<number> {
  const log = new StreamedLog(new Messages(messages), { maxSpoolBytes: 1 << 30, ...settings })
  try {
    for (let item = log.next(); item !== undefined; item = log.next()) {
      if (item.kind === 'wait') await item.wait()
      else if (item.kind === 'data') decoder.decodeWithin(item.bytes, item.from, item.to)
    }
    return settings.spool.left
  } finally {
    await log.close()
  }
}
