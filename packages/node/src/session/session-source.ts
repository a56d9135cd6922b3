import type { DatabaseSync } from 'node:sqlite'
import { createHash, randomUUID } from 'node:crypto'

import { sourceError } from '@tidemark/sqlite'
import { TidemarkError, type AbortOptions, type ChangeConnection, type ChangeConnector, type ChangeSourceCapabilities, type Unsubscribe } from '@tidemark/core/adapter'
import type { SessionChanges } from './session-changes.ts'
import { SessionConnection } from './session-connection.ts'
import { EPOCH_PREFIX, SessionLog } from './session-log.ts'
import { requireSessions, type SessionSettings } from './session-options.ts'
import { isSameMark, SessionRecorder, type DatabaseMark, type Recording } from './session-recorder.ts'
import { textReading } from './row-reader.ts'
import { allRows } from './statements.ts'
import { runInSavepoint, runInTransaction, type TransactionHooks, type TransactionOptions } from './write-transaction.ts'

const CAPABILITIES: ChangeSourceCapabilities = {
  resumes: false,
  rereads: false,
  seesAllWriters: false,
  changes: 'net',
  // Through transaction(). What is written outside of it is merged into one between two looks.
  transactions: 'exact',
  before: 'full',
  keylessTables: false,
  snapshots: true,
  schemaChanges: true,
  messages: false,
}

/** The state behind `sessionChanges`: one log, which all connections of this source share, and what fills it. */
export class SessionSource implements SessionChanges {
  readonly connector: ChangeConnector = 'sqlite'
  readonly capabilities = CAPABILITIES
  readonly name: string
  readonly address: string
  readonly pollIntervalMs: number
  readonly log: SessionLog
  readonly database: DatabaseSync
  readonly #settings: SessionSettings
  readonly #listeners = new Set<() => void>()
  #recorder: SessionRecorder | undefined
  #connections = 0
  #watch: NodeJS.Timeout | undefined
  /** Where the last recorder ended. */
  #left: DatabaseMark | undefined

  constructor(database: DatabaseSync, settings: SessionSettings) {
    const file = fileOf(database)
    this.database = database
    this.#settings = settings
    this.name = settings.name
    this.address = `sqlite:${file === '' ? ':memory:' : file}`
    this.pollIntervalMs = settings.pollIntervalMs
    this.log = new SessionLog({ epoch: `${EPOCH_PREFIX}${randomUUID()}`, database: identityOf(file), maxBytes: settings.maxBufferedBytes })
  }

  /** Errors: `NOT_SUPPORTED`, `TABLE_UNKNOWN`, `TABLE_NOT_CAPTURABLE`, `SOURCE_BUSY` while a transaction is open, `CLOSED`, `ABORTED`. */
  connect({ signal }: AbortOptions = {}): Promise<ChangeConnection> {
    return Promise.resolve().then(() => {
      if (signal?.aborted === true) throw new TidemarkError('ABORTED', 'The operation was aborted before it began.')
      this.#open()
      this.#connections += 1
      return new SessionConnection(this)
    })
  }

  transaction<T>(work: () => T, options: TransactionOptions = {}): T {
    if (this.database.isTransaction) return runInSavepoint(this.database, work)
    return runInTransaction(this.database, work, this.#hooks(options))
  }

  /** The recorder, with everything committed so far in the log. Errors: `CLOSED`, `SOURCE_*`. */
  look(): SessionRecorder {
    const recorder = this.#requireRecorder()
    if (this.database.isTransaction || recorder.isUntouched()) return recorder
    this.#inReadTransaction(() => this.#take(recorder))
    return recorder
  }

  /** Looks and reads in one read transaction, so that what is read stands at the log's end. Errors: `SOURCE_BUSY`, `CLOSED`, `SOURCE_*`. */
  read<T>(work: (recorder: SessionRecorder) => T): T {
    const recorder = this.#requireRecorder()
    if (this.database.isTransaction) throw busy()
    return this.#inReadTransaction(() => {
      this.#take(recorder)
      return work(recorder)
    })
  }

  onWake(listener: () => void): Unsubscribe {
    // A function of its own, or a listener given twice would go at the first removal.
    const own = (): void => listener()
    this.#listeners.add(own)
    return () => void this.#listeners.delete(own)
  }

  /** The last connection to close ends the recording. */
  disconnect(): void {
    this.#connections -= 1
    if (this.#connections > 0 || this.#recorder === undefined) return
    clearInterval(this.#watch)
    const recorder = this.#recorder
    try {
      if (this.database.isOpen) this.look()
    } catch {
      // Not read is not recorded: the next connection finds the counters moved and reports the gap.
    }
    this.#left = recorder.mark
    this.#recorder = undefined
    recorder.close()
  }

  #open(): void {
    if (this.#recorder !== undefined) return
    requireOpen(this.database)
    requireSessions(this.database)
    if (this.database.isTransaction) throw busy()
    const { tables, policy, maxBufferedBytes } = this.#settings
    const recorder = mapped(() => new SessionRecorder(this.database, { tables, text: textReading(this.database, policy), maxBytes: maxBufferedBytes }))
    if (this.#left !== undefined && !isSameMark(this.#left, recorder.mark)) this.log.addGap('not-recorded')
    this.#recorder = recorder
    this.#startWatch()
  }

  /** Without it, writes outside of transaction() would pile up in the session, unbounded, while no reader comes by. */
  #startWatch(): void {
    this.#watch = setInterval(() => {
      try {
        this.look()
      } catch {
        // The reader that comes next meets the same error and reports it.
      }
    }, this.pollIntervalMs)
    this.#watch.unref()
  }

  #requireRecorder(): SessionRecorder {
    requireOpen(this.database)
    if (this.#recorder === undefined) throw new TidemarkError('CLOSED', 'The connection to the source is closed.')
    return this.#recorder
  }

  #inReadTransaction<T>(work: () => T): T {
    return mapped(() => {
      this.database.exec('BEGIN')
      try {
        const result = work()
        // Keeps the marks that a changed table may have been given.
        this.database.exec('COMMIT')
        return result
      } finally {
        if (this.database.isTransaction) this.database.exec('ROLLBACK')
      }
    })
  }

  #take(recorder: SessionRecorder): void {
    const recording = recorder.record()
    if (recording === undefined) return
    recorder.adopt(recording)
    this.#append(recording, { committedAtMs: undefined, origin: undefined })
  }

  #append(recording: Recording, written: { readonly committedAtMs: number | undefined; readonly origin: string | undefined }): void {
    const { changes, schemas, gap } = recording
    if (gap !== undefined) this.log.addGap(gap)
    if (changes !== undefined || schemas.length > 0) this.log.append({ changes, schemas, receivedAtMs: Date.now(), ...written })
    if (changes !== undefined || schemas.length > 0 || gap !== undefined) this.#wake()
  }

  #wake(): void {
    for (const listener of this.#listeners) {
      try {
        listener()
      } catch {
        // A reader's fault is not the writer's.
      }
    }
  }

  /** Each step guarded by itself: whatever fails in recording is a gap for readers and nothing for the writer. */
  #hooks({ origin }: TransactionOptions): TransactionHooks {
    const recorder = this.#recorder
    let recording: Recording | undefined
    if (recorder === undefined) return { began: () => undefined, committing: () => undefined, committed: () => undefined, rolledBack: () => undefined }
    const guard = (step: () => void): void => {
      try {
        step()
      } catch {
        this.#fail(recorder)
      }
    }
    return {
      began: () => guard(() => this.#take(recorder)),
      committing: () => guard(() => {
        recording = recorder.record()
      }),
      committed: () => guard(() => {
        if (recording === undefined) return
        recorder.adopt(recording)
        this.#append(recording, { committedAtMs: Date.now(), origin })
      }),
      rolledBack: () => guard(() => recorder.discard()),
    }
  }

  #fail(recorder: SessionRecorder): void {
    this.log.addGap('capture-failed')
    this.#wake()
    try {
      recorder.discard()
    } catch {
      // Nothing can be recorded; the next look says so again.
    }
  }
}

function mapped<T>(work: () => T): T {
  try {
    return work()
  } catch (error) {
    throw sourceError(error)
  }
}

function requireOpen(database: DatabaseSync): void {
  if (!database.isOpen) throw new TidemarkError('CLOSED', 'The application has closed the database.', { remedy: 'Close the stream before the database.' })
}

function busy(): TidemarkError {
  return new TidemarkError('SOURCE_BUSY', 'A transaction is open on the connection.', { remedy: 'Wait for it to end: it is tried again with backoff.' })
}

/** Empty for a database in memory. */
function fileOf(database: DatabaseSync): string {
  const [row] = allRows(database, 'SELECT file FROM pragma_database_list WHERE name = \'main\'')
  return String(row?.[0] ?? '')
}

/** Which database it is, to tell an earlier process's positions from another database's. One in memory is never the same again. */
function identityOf(file: string): string {
  return file === '' ? randomUUID() : createHash('sha256').update(file).digest('base64url').slice(0, 22)
}
