import { randomUUID } from 'node:crypto'
import { encodeCheckpoint } from '@tidemark/core/adapter'
import type { PostgresChanges } from '@tidemark/postgres'
import { dropTailLeftovers, temporaryTailName } from './drop-tail-leftovers.ts'
import type { OpenTail } from './open-tail.ts'
import type { PostgresTailLocation, TailOptions } from './tail-options.ts'

type PostgresTailOptions = TailOptions & { readonly location: PostgresTailLocation }

/** Slots whose names begin like this are this command's: no application's is ever read, which would move it. */
const TAIL_SLOT = 'tidemark_tail_'

/** Without `--slot` nothing is left at the server that would keep its log. */
export async function openPostgresTail(options: PostgresTailOptions, signal: AbortSignal): Promise<OpenTail> {
  return options.slot === undefined ? temporaryTail(options, signal) : durableTail(options, options.slot, signal)
}

/** The changes that `--slot` stands for; opens nothing yet. Errors: `CONFIG_INVALID`. */
export async function openTailSlot({ location: { url, tls }, tables, publication }: PostgresTailOptions, slot: string): Promise<PostgresChanges> {
  const { postgresChanges } = await import('@tidemark/postgres')
  // `--uninstall` looks at no table, yet a source has to name one.
  return postgresChanges({ url, tls, slot: `${TAIL_SLOT}${slot}`, tables: tables.length === 0 ? ['-'] : tables, publication })
}

async function temporaryTail({ location, tables, publication, begin }: PostgresTailOptions, signal: AbortSignal): Promise<OpenTail> {
  const { postgresChanges } = await import('@tidemark/postgres')
  const { url, tls } = location
  const slot = temporaryTailName(Date.now(), randomUUID())
  await dropTailLeftovers(location, signal)
  return {
    source: postgresChanges({ url, tls, slot, tables, publication, temporary: true }),
    checkpoints: undefined,
    name: 'tail',
    subscribing: { id: 'tail', durable: false, snapshot: begin === 'snapshot' ? 'initial' : 'none' },
    notice: 'Nothing is kept at the server when this ends.',
    gapRemedy: 'Run it again; with --slot changes are kept while it is away.',
    [Symbol.asyncDispose]: () => Promise.resolve(),
  }
}

async function durableTail(options: PostgresTailOptions, slot: string, signal: AbortSignal): Promise<OpenTail> {
  const source = await openTailSlot(options, slot)
  return {
    source,
    checkpoints: undefined,
    name: 'tail',
    subscribing: { id: 'tail', snapshot: options.begin === 'snapshot' ? 'initial' : 'none', from: await startOf(source, options, signal) },
    notice: `The slot ${TAIL_SLOT}${slot} keeps the log when this ends, until the disk is full; --uninstall --slot ${slot} drops it.`,
    gapRemedy: `Begin anew: --uninstall --slot ${slot}, then --snapshot to get the rows as they are now.`,
    [Symbol.asyncDispose]: () => Promise.resolve(),
  }
}

/** The slot is the memory: where it stands is what was printed last. `null`: at the rows that are there. */
async function startOf(source: PostgresChanges, { begin }: PostgresTailOptions, signal: AbortSignal): Promise<string | null> {
  const { health } = await source.slotStatus({ signal })
  await using connection = await source.connect({ signal })
  const position = await connection.retained('tail', { signal })
  if (position === undefined || (health === 'missing' && begin === 'snapshot')) return null
  return encodeCheckpoint({ source: source.name, position, snapshot: null })
}
