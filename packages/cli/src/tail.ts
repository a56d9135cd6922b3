import { hostname } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import { changeToJson, ChangeStream, TidemarkError, type ChangeBatch, type SubscribeOptions, type Subscription } from '@tidemark/core'
import { abortable } from '@tidemark/core/adapter'
import { openTail, type OpenTail } from './open-tail.ts'
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

/** Prints changes until the signal fires or, where asked for, all that there are now is printed. Errors: those of the source and `subscribe`. */
export async function tail(options: TailOptions, surroundings: TailSurroundings): Promise<void> {
  const { signal } = surroundings
  await using opened = await openTail(options, signal)
  const { source, checkpoints, name } = opened
  await using stream = new ChangeStream({
    source, checkpoints, name,
    // The host's name, not a random one: a run that was killed left a lease, and the next one takes it back at once.
    instance: `cli:${hostname()}`,
    // What could not be printed can't be printed a second time.
    retry: { attempts: 1 },
  })
  stream.on('error', ({ error, delayMs }) => {
    if (delayMs !== undefined) surroundings.notice(`${error.code}: ${error.message} It is tried again.`)
  })
  await follow(stream, opened, { options, surroundings })
}

interface Following {
  readonly options: TailOptions
  readonly surroundings: TailSurroundings
}

async function follow(stream: ChangeStream, opened: OpenTail, { options, surroundings }: Following): Promise<void> {
  const { notice, signal, write } = surroundings
  const subscribing = subscribeOptions(opened, options, signal)
  const subscription = await subscribed(stream, subscribing, { opened, handler: (batch) => print(batch, write) })
  notice(`Following ${(subscribing.tables ?? options.tables).join(', ')}. ${opened.notice}`)
  try {
    await abortable(Promise.race([subscription.done, ...(options.isUntilIdle ? [untilIdle(stream, subscribing.id, signal)] : [])]), signal)
  } catch (error) {
    throw explained(error, opened)
  } finally {
    await subscription.unsubscribe()
  }
}

function subscribeOptions({ subscribing }: OpenTail, { ops }: TailOptions, signal: AbortSignal): SubscribeOptions {
  return { ...subscribing, signal, maxBufferedBytes: UNBOUNDED, maxBufferedEvents: UNBOUNDED, ...(ops === undefined ? {} : { ops }) }
}

async function subscribed(stream: ChangeStream, subscribing: SubscribeOptions, { opened, handler }: { readonly opened: OpenTail; readonly handler: (batch: ChangeBatch) => Promise<void> }): Promise<Subscription> {
  try {
    return await stream.subscribe(subscribing, handler)
  } catch (error) {
    throw explained(error, opened)
  }
}

function explained(error: unknown, { gapRemedy }: OpenTail): unknown {
  if (!(error instanceof TidemarkError) || error.code !== 'CHANGE_GAP') return error
  return new TidemarkError(error.code, error.message, { detail: error.detail, remedy: gapRemedy })
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
