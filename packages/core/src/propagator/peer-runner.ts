import { printPosition } from '../change/log-position.ts'
import type { PeerAnswer, PeerChunk, PeerMessage, PeerTableState, PeerUnit } from '../dialect/propagation-target.ts'
import type { TidemarkError } from '../errors/tidemark-error.ts'
import { toTidemarkError } from '../errors/to-tidemark-error.ts'
import { Bell } from '../feed/bell.ts'
import type { OpenLog } from './open-log.ts'
import type { Peer, SendOptions } from './peer.ts'
import { NEW_PEER, peerAnswered, peerFailed, type PeerLife } from './peer-life.ts'
import { PeerSession } from './peer-session.ts'
import type { PropagatorContext } from './propagator-context.ts'
import type { PeerStatus } from './propagator-status.ts'

/** Errors that a message itself is the reason of: sent again unchanged, it fails again. */
const OF_THE_MESSAGE: ReadonlySet<string> = new Set(['PEER_TOO_LARGE', 'REQUEST_INVALID', 'REQUEST_TOO_LARGE', 'VALUE_UNREPRESENTABLE'])

/** Brings one peer forward, whatever becomes of the others. */
export class PeerRunner {
  readonly peer: Peer
  readonly #context: PropagatorContext
  readonly #bell = new Bell()
  readonly #sent = { messages: 0, changes: 0, rowsCopied: 0 }
  #life: PeerLife = NEW_PEER
  #session: PeerSession | undefined
  #tables: ReadonlyMap<string, PeerTableState> = new Map()
  #position: string | undefined
  #lastMessage: PeerMessage | undefined
  #behindSinceMs: number | undefined
  #askAtMs = 0
  /** The log has a gap where the peer stands: all is copied anew. */
  #hasGap = false
  /** The pass under way; the next begins behind it. Never rejects. */
  #tail: Promise<unknown> = Promise.resolve()

  constructor(peer: Peer, context: PropagatorContext) {
    this.peer = peer
    this.#context = context
  }

  get life(): PeerLife {
    return this.#life
  }

  /** There may be changes. */
  ring(): void {
    this.#behindSinceMs ??= this.#context.runtime.now()
    this.#bell.ring()
  }

  /** Until the signal fires; rejects never. */
  async run(log: OpenLog, options: { readonly signal: AbortSignal; readonly pollIntervalMs: number }): Promise<void> {
    const { signal, pollIntervalMs } = options
    const { runtime } = this.#context
    while (!signal.aborted) {
      await this.pass(log, { signal })
      const restMs = this.#life.retryAtMs - runtime.now()
      // A failed peer is not woken by news: that would undo the delay.
      if (restMs > 0) await runtime.sleep(restMs, signal).catch(() => undefined)
      else await this.#bell.wait({ signal, timeout: { runtime, ms: pollIntervalMs } })
    }
  }

  /**
   * Brings the peer up to the log's end, or to a failure, which is noted and not thrown; one that is being left alone is left alone. Passes of
   * one peer follow each other. `untilMs` ends it between two messages. Tells whether the peer has everything.
   */
  pass(log: OpenLog, options: { readonly signal: AbortSignal; readonly untilMs?: number | undefined }): Promise<boolean> {
    const pass = this.#tail.then(() => this.#pass(log, options))
    this.#tail = pass
    return pass
  }

  /** Nothing of the session outlives the log that it reads. */
  async end(): Promise<void> {
    await this.#tail
    await this.#session?.retain({ atOnce: true }).catch(() => undefined)
    this.#session = undefined
  }

  status(): PeerStatus {
    const { phase, failures, lastError, retryAtMs } = this.#life
    return {
      name: this.peer.name, address: this.peer.address, phase, failures, lastError,
      position: this.#position,
      behindMs: this.#behindMs(),
      retryAtMs: retryAtMs === 0 ? undefined : retryAtMs,
      tables: Object.fromEntries([...this.#tables].filter(([, { state }]) => state !== 'live')),
      sent: { ...this.#sent },
    }
  }

  async #pass(log: OpenLog, { signal, untilMs = Number.POSITIVE_INFINITY }: { readonly signal: AbortSignal; readonly untilMs?: number | undefined }): Promise<boolean> {
    const { runtime } = this.#context
    if (signal.aborted || runtime.now() < this.#life.retryAtMs) return false
    try {
      while (await this.#step(log, signal) === 'more') if (signal.aborted || runtime.now() >= untilMs) return false
      this.#behindSinceMs = undefined
      return true
    } catch (cause) {
      if (!signal.aborted) await this.#failed(toTidemarkError(cause), signal)
      return false
    }
  }

  async #step(log: OpenLog, signal: AbortSignal): Promise<'more' | 'idle'> {
    const { runtime } = this.#context
    if (this.#session !== undefined && this.#askAtMs <= runtime.now() && this.#hasRefused()) this.#session = undefined
    this.#session ??= await this.#open(log, signal)
    const outcome = await this.#session.step(signal)
    // Also where no message told of them: a table that changed is described anew.
    this.#noteTables(this.#session.tables)
    await this.#session.retain()
    if (this.#life.phase !== 'streaming' && outcome === 'idle') this.#live(peerAnswered(false))
    return outcome
  }

  async #open(log: OpenLog, signal: AbortSignal): Promise<PeerSession> {
    this.#askAtMs = this.#context.runtime.now() + this.#context.settings.askAgainMs
    const observer = {
      onAnswer: (answer: PeerAnswer): void => this.#answered(answer),
      onApplied: (unit: PeerUnit): void => this.#applied(unit),
      onCopied: (chunk: PeerChunk): void => this.#copied(chunk),
    }
    const session = await PeerSession.open({ peer: this.#counted(), log, context: this.#context, observer, restarts: this.#hasGap }, signal)
    this.#hasGap = false
    this.#noteTables(session.tables)
    this.#live(peerAnswered(session.isCopying))
    return session
  }

  /** The peer, with its messages counted, and the last of them at hand when it is refused. */
  #counted(): Peer {
    const { peer } = this
    const send = async (message: PeerMessage, options: SendOptions): Promise<PeerAnswer> => {
      this.#lastMessage = message
      this.#sent.messages += 1
      this.#tellMessage(message, 'sent')
      const answer = await peer.send(message, options)
      if (!options.signal.aborted) this.#tellMessage(message, 'answered')
      // What fails from here on is not the fault of this one.
      this.#lastMessage = undefined
      return answer
    }
    return { name: peer.name, address: peer.address, maxMessageBytes: peer.maxMessageBytes, send, close: () => peer.close() }
  }

  #tellMessage(message: PeerMessage, phase: 'sent' | 'answered'): void {
    const { emitter } = this.#context
    if (emitter.isHeard('peer:message')) emitter.emit('peer:message', { peer: this.peer.name, phase, type: message.type, changes: changesIn(message) })
  }

  #answered(answer: PeerAnswer): void {
    if (answer.at !== null) this.#position = printPosition(answer.at)
    this.#live(peerAnswered(this.#session?.isCopying === true))
  }

  #applied({ changes, to }: PeerUnit): void {
    this.#sent.changes += changes.length
    this.#context.emitter.emit('peer:applied', { peer: this.peer.name, changes: changes.length, position: printPosition(to) })
    this.#emitLag()
  }

  #copied({ table, rows, next }: PeerChunk): void {
    this.#sent.rowsCopied += rows.length
    this.#context.emitter.emit('peer:copied', { peer: this.peer.name, table: table.name, rows: rows.length, done: next === null })
  }

  #noteTables(tables: ReadonlyMap<string, PeerTableState>): void {
    for (const [table, state] of tables) {
      if (state.state !== 'refused' || this.#tables.get(table)?.state === 'refused') continue
      this.#context.logger.error({ peer: this.peer.name, table, code: state.error.code }, state.error.message)
      this.#context.emitter.emit('table:refused', { peer: this.peer.name, table, error: state.error })
    }
    this.#tables = tables
  }

  #hasRefused(): boolean {
    return [...this.#tables.values()].some(({ state }) => state === 'refused')
  }

  async #failed(error: TidemarkError, signal: AbortSignal): Promise<void> {
    if (OF_THE_MESSAGE.has(error.code) && await this.#letter(error, signal)) return
    const { runtime, settings, emitter, logger } = this.#context
    this.#session = undefined
    if (error.code === 'CHANGE_GAP' && settings.snapshot && !this.#hasGap) {
      this.#hasGap = true
      return this.ring()
    }
    this.#behindSinceMs ??= runtime.now()
    this.#live(peerFailed(this.#life, { error, nowMs: runtime.now(), random: runtime.random() }, settings))
    const { failures: attempt, retryAtMs } = this.#life
    const delayMs = Math.max(0, retryAtMs - runtime.now())
    logger.warn({ peer: this.peer.name, code: error.code, attempt, delayMs }, error.message)
    emitter.emit('peer:error', { peer: this.peer.name, error: error.toJSON(), attempt, delayMs })
    this.#emitLag()
  }

  /** Whether somebody has taken the message and the peer is behind it. */
  async #letter(error: TidemarkError, signal: AbortSignal): Promise<boolean> {
    const { deadLetter, emitter, logger } = this.#context
    const message = this.#lastMessage
    if (deadLetter === undefined || message === undefined || message.type === 'hello' || this.#session === undefined) return false
    try {
      await deadLetter({ peer: this.peer.name, error, message })
      await this.#session.skip(message, signal)
    } catch (cause) {
      logger.error({ peer: this.peer.name, code: toTidemarkError(cause).code }, 'A dead letter was not taken.')
      return false
    }
    emitter.emit('peer:dead-letter', { peer: this.peer.name, error: error.toJSON(), changes: changesIn(message) })
    this.ring()
    return true
  }

  #emitLag(): void {
    this.#context.emitter.emit('peer:lag', { peer: this.peer.name, ms: this.#behindMs() })
  }

  #behindMs(): number {
    return this.#behindSinceMs === undefined ? 0 : this.#context.runtime.now() - this.#behindSinceMs
  }

  #live(life: PeerLife): void {
    const isOther = life.phase !== this.#life.phase
    this.#life = life
    if (isOther) this.#context.emitter.emit('peer:phase', { peer: this.peer.name, phase: life.phase })
  }
}

/** Changes, or rows of a copy. */
function changesIn(message: PeerMessage): number {
  if (message.type === 'hello') return 0
  return message.type === 'unit' ? message.changes.length : message.rows.length
}
