import { FakeRuntime } from '../../runtime/fake-runtime.ts'
import { memoryStateStore } from '../../state/memory-state-store.ts'
import type { StateStore } from '../../state/state-store.ts'
import { ChangeStream } from '../change-stream.ts'
import type { ChangeStreamEvents } from '../change-stream-events.ts'
import type { ChangeStreamOptions } from '../change-stream-options.ts'
import { ScriptedLog, type ScriptedLogOptions } from './scripted-log.ts'

type Seen = { readonly [Name in keyof ChangeStreamEvents]: ChangeStreamEvents[Name][] }

/** A stream over a scripted log, under a clock that stands still until told to move. */
export interface Rig {
  readonly log: ScriptedLog
  readonly runtime: FakeRuntime
  readonly store: StateStore
  readonly stream: ChangeStream
  /** Every event so far, by name. `change` is not listened to: that would make the stream read ahead. */
  readonly seen: Omit<Seen, 'change' | 'delivery'>
  /** Lets time pass until the work is done. */
  settle<T>(work: Promise<T>): Promise<T>
}

export function makeRig(options: Partial<ChangeStreamOptions> & { readonly log?: ScriptedLogOptions | ScriptedLog } = {}): Rig {
  const { log: logOptions, ...streamOptions } = options
  const log = logOptions instanceof ScriptedLog ? logOptions : new ScriptedLog(logOptions)
  const runtime = streamOptions.runtime instanceof FakeRuntime ? streamOptions.runtime : new FakeRuntime()
  const store = streamOptions.checkpoints ?? memoryStateStore()
  const stream = new ChangeStream({ source: log.source, checkpoints: store, runtime, ...streamOptions })
  const seen: Rig['seen'] = { schema: [], snapshot: [], heartbeat: [], gap: [], lag: [], retention: [], error: [], status: [] }
  stream.on('schema', (event) => seen.schema.push(event))
  stream.on('snapshot', (event) => seen.snapshot.push(event))
  stream.on('heartbeat', (event) => seen.heartbeat.push(event))
  stream.on('gap', (event) => seen.gap.push(event))
  stream.on('lag', (event) => seen.lag.push(event))
  stream.on('retention', (event) => seen.retention.push(event))
  stream.on('error', (event) => seen.error.push(event))
  stream.on('status', (event) => seen.status.push(event))
  return { log, runtime, store, stream, seen, settle: (work) => settle(runtime, work) }
}

async function settle<T>(runtime: FakeRuntime, work: Promise<T>): Promise<T> {
  let isDone = false
  void work.catch(() => undefined).then(() => { isDone = true })
  for (let turn = 0; !isDone; turn += 1) {
    if (turn > 500) throw new Error('It did not come to an end.')
    await runtime.advance(20)
  }
  return work
}
