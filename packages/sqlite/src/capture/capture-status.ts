import { encodeCheckpoint, toSequence, type AbortOptions, type ChangeCheckpoint, type ChangeTable } from '@tidemark/core/adapter'
import { readLayouts } from './layouts.ts'
import type { LogNames } from './log-names.ts'
import { readConsumers, type Consumer } from './log-retention.ts'
import { readLogState } from './log-schema.ts'
import type { LogSession } from './log-session.ts'
import { toChangeTable } from './to-change-table.ts'

/** What is installed in a database. */
export interface CaptureStatus {
  readonly isInstalled: boolean
  /** Of the log; `undefined` where there is none. */
  readonly epoch: string | undefined
  readonly tables: readonly ChangeTable[]
  /** Changes in the log, about: numbers are not given out without a gap. */
  readonly events: number
  /** Where to begin to get all changes that are in the log, for `startAt` of `subscribe`; `undefined` where there is none. */
  readonly start: ChangeCheckpoint | undefined
  /** Streams that need the log from an entry on. */
  readonly consumers: readonly Pick<Consumer, 'name' | 'seq'>[]
}

/** The source's name, and its log's. */
export interface StatusSettings {
  readonly name: string
  readonly names: LogNames
}

const NOTHING: CaptureStatus = { isInstalled: false, epoch: undefined, tables: [], events: 0, start: undefined, consumers: [] }

/** Errors: `LOG_NOT_OWNED`, `STATE_NEWER`, `SOURCE_*`. */
export async function readCaptureStatus(session: LogSession, { name, names }: StatusSettings, options: AbortOptions): Promise<CaptureStatus> {
  const state = await session.read((driver) => readLogState(driver, names), options)
  if (state === undefined) return NOTHING
  const layouts = await session.read((driver) => readLayouts(driver, names), options)
  const [row] = await session.read((driver) => driver.query(`SELECT (SELECT max(seq) FROM ${names.log}) - (SELECT min(seq) FROM ${names.log}), (SELECT value FROM ${names.meta} WHERE key = 'purged')`), options)
  const position = { epoch: state.epoch, sequence: toSequence(Number(row?.[1] ?? 0)), detail: '' }
  return {
    isInstalled: true,
    epoch: state.epoch,
    tables: layouts.filter(({ isCurrent }) => isCurrent).map(({ layout }) => toChangeTable(layout)),
    events: Number(row?.[0] ?? 0),
    start: encodeCheckpoint({ source: name, position, snapshot: null }),
    consumers: (await readConsumers(session, names, options)).map((consumer) => ({ name: consumer.name, seq: consumer.seq })),
  }
}
