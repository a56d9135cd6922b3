import { hostname } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import { changeToJson, ChangeStream, TidemarkError, type ChangeBatch, type SubscribeOptions, type Subscription } from '@tidemark/core'
import { abortable } from '@tidemark/core/adapter'
import type { SqliteChanges } from '@tidemark/node'
import { openChanges, openCheckpoints } from './open-changes.ts'
import type { TailOptions } from './tail-options.ts'

export interface TailSurroundings {
  /** Takes lines of text; resolves once they have been taken. */
  readonly write: (lines: string) => Promise<void>
  /** For people. */
  readonly notice: (text: string) => void
  /** Ends it. */
  readonly signal: AbortSignal
}

/** How often `--until-idle` looks whether all is printed. */
const IDLE_CHECK_MS = 50
/** A terminal that is held with Ctrl-S is not closed for it: the log can be read again, so nobody waits and nothing piles up. */
const UNBOUNDED = Number.MAX_SAFE_INTEGER

/** Consumers of the log whose names begin like this are this command's. */
export const TAIL_CONSUMER = 'tail/'

/** Prints changes until the signal fires or, where asked for, all that there are now is printed. Errors: those of the source and `subscribe`. */
export async function tail(options: TailOptions, surroundings: TailSurroundings): Promise<void> {
  const { signal } = surroundings
  const source = await openChanges(options)
  await source.install({ signal })
  await using checkpoints = options.id === undefined ? undefined : await openCheckpoints(options)
  await using stream = new ChangeStream({
    source, checkpoints,
    name: `${TAIL_CONSUMER}${options.id ?? ''}`,
    // The host's name, not a random one: a run that was killed left a lease, and the next one takes it back at once.
    instance: `cli:${hostname()}`,
    // What could not be printed can't be printed a second time.
    retry: { attempts: 1 },
  })
  stream.on('error', ({ error, delayMs }) => {
    if (delayMs !== undefined) surroundings.notice(`${error.code}: ${error.message} It is tried again.`)
  })
  await follow(stream, await subscribeOptions(source, options, signal), { options, surroundings })
}

async function subscribeOptions(source: SqliteChanges, options: TailOptions, signal: AbortSignal): Promise<SubscribeOptions> {
  const { id, ops, begin } = options
  const { start, tables } = await source.status({ signal })
  return {
    id: id ?? 'tail',
    durable: id !== undefined,
    // As the catalogue spells them: SQLite takes any case.
    tables: options.tables.map((wanted) => tables.find(({ name }) => name.toLowerCase() === wanted.toLowerCase())?.name ?? wanted),
    snapshot: begin === 'snapshot' ? 'initial' : 'none',
    signal,
    maxBufferedBytes: UNBOUNDED,
    maxBufferedEvents: UNBOUNDED,
    ...(ops === undefined ? {} : { ops }),
    ...(begin === 'start' && start !== undefined ? { startAt: start } : {}),
  }
}

async function follow(stream: ChangeStream, subscribing: SubscribeOptions, { options, surroundings }: { readonly options: TailOptions; readonly surroundings: TailSurroundings }): Promise<void> {
  const { notice, signal, write } = surroundings
  const subscription = await subscribed(stream, subscribing, (batch) => print(batch, write))
  notice(`Following ${subscribing.tables?.join(', ') ?? ''}. The triggers stay when this ends; --uninstall removes them.`)
  try {
    await abortable(Promise.race([subscription.done, ...(options.isUntilIdle ? [untilIdle(stream, subscribing.id, signal)] : [])]), signal)
  } finally {
    await subscription.unsubscribe()
  }
}

async function subscribed(stream: ChangeStream, subscribing: SubscribeOptions, handler: (batch: ChangeBatch) => Promise<void>): Promise<Subscription> {
  try {
    return await stream.subscribe(subscribing, handler)
  } catch (error) {
    if (!(error instanceof TidemarkError) || error.code !== 'CHANGE_GAP') throw error
    throw new TidemarkError(error.code, error.message, { detail: error.detail, remedy: 'Use another --id, with --snapshot to get the rows as they are now.' })
  }
}

async function print({ events, signal }: ChangeBatch, write: TailSurroundings['write']): Promise<void> {
  if (events.length > 0) await abortable(write(events.map((event) => changeToJson(event)).join('\n')), signal)
}

/** Resolves once everything that is in the log now is printed. */
async function untilIdle(stream: ChangeStream, id: string, signal: AbortSignal): Promise<void> {
  const [source] = await stream.listSources({ signal })
  for (;;) {
    const [now] = await stream.listSources({ signal })
    const subscriber = now?.subscribers.find((candidate) => candidate.id === id)
    // Printable positions of one log sort like the log.
    if (subscriber?.state === 'streaming' && source?.head !== undefined && subscriber.position >= source.head) return
    await sleep(IDLE_CHECK_MS, undefined, { signal })
  }
}
