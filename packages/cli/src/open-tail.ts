import type { ChangeSource, StateStore, SubscribeOptions } from '@tidemark/core'
import { openChanges, openCheckpoints, type CaptureOptions } from './open-changes.ts'
import { openPostgresTail } from './open-postgres-tail.ts'
import type { TailOptions } from './tail-options.ts'

/** What `tail` follows and how, whatever the database. */
export interface OpenTail extends AsyncDisposable {
  readonly source: ChangeSource
  readonly checkpoints: StateStore | undefined
  /** Of the stream. */
  readonly name: string
  readonly subscribing: Pick<SubscribeOptions, 'id' | 'durable' | 'tables' | 'snapshot' | 'startAt' | 'from'>
  /** What stays when it ends. */
  readonly notice: string
  /** The way on after a gap. */
  readonly gapRemedy: string
}

/** Consumers of the log whose names begin like this are this command's. */
export const TAIL_CONSUMER = 'tail/'

/** Prepares what capturing needs. Errors: those of the source. */
export async function openTail(options: TailOptions, signal: AbortSignal): Promise<OpenTail> {
  const { location } = options
  return location.kind === 'postgres' ? openPostgresTail({ ...options, location }, signal) : openSqliteTail({ ...options, location }, signal)
}

async function openSqliteTail(options: TailOptions & CaptureOptions, signal: AbortSignal): Promise<OpenTail> {
  const { id, begin } = options
  const source = await openChanges(options)
  await source.install({ signal })
  const { start, tables } = await source.status({ signal })
  const checkpoints = id === undefined ? undefined : await openCheckpoints(options)
  return {
    source, checkpoints,
    name: `${TAIL_CONSUMER}${id ?? ''}`,
    subscribing: {
      id: id ?? 'tail',
      durable: id !== undefined,
      // As the catalogue spells them: SQLite takes any case.
      tables: options.tables.map((wanted) => tables.find(({ name }) => name.toLowerCase() === wanted.toLowerCase())?.name ?? wanted),
      snapshot: begin === 'snapshot' ? 'initial' : 'none',
      ...(begin === 'start' && start !== undefined ? { startAt: start } : {}),
    },
    notice: 'The triggers stay when this ends; --uninstall removes them.',
    gapRemedy: 'Use another --id, with --snapshot to get the rows as they are now.',
    [Symbol.asyncDispose]: async () => checkpoints?.[Symbol.asyncDispose](),
  }
}
