import type { Socket } from 'node:net'
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises'
import type { ConnectionFault, Direction } from './fault-plan.ts'

export interface FaultyConnectionOptions {
  readonly client: Socket
  readonly target: Socket
  readonly fault: ConnectionFault
  /** Called once, when the fault takes effect. */
  readonly onFault: () => void
}

/** Two sockets joined, and one fault between them. */
export class FaultyConnection {
  readonly #client: Socket
  readonly #target: Socket
  readonly #fault: ConnectionFault
  readonly #onFault: () => void
  readonly #ended = new AbortController()
  #hasFaulted = false
  #isStalled = false
  /** Both directions and both sockets are done. */
  readonly closed: Promise<void>

  constructor({ client, target, fault, onFault }: FaultyConnectionOptions) {
    this.#client = client
    this.#target = target
    this.#fault = fault
    this.#onFault = onFault
    client.setNoDelay(true)
    target.setNoDelay(true)
    this.closed = this.#run()
  }

  /** RST to both sides, now. */
  reset(): void {
    this.#client.resetAndDestroy()
    this.#target.resetAndDestroy()
    this.#ended.abort()
  }

  async #run(): Promise<void> {
    // An error of one side is told to the other by the close that follows it.
    this.#client.on('error', () => {})
    this.#target.on('error', () => {})
    const sidesClosed = [this.#whenClosed(this.#client, this.#target), this.#whenClosed(this.#target, this.#client)]
    await Promise.all([
      ...sidesClosed,
      this.#forward('to-target', this.#client, this.#target),
      this.#forward('to-client', this.#target, this.#client),
    ])
  }

  /**
   * A side that broke takes the other with it, unless the point is that it is not told. One that ended in order does
   * not: what it sent may still wait for its delay, and its end is passed on behind that.
   */
  async #whenClosed(side: Socket, other: Socket): Promise<void> {
    if (!side.closed) await new Promise<void>((resolve) => side.once('close', () => resolve()))
    if (side.errored === null || this.#isStalled) return
    other.resetAndDestroy()
    this.#ended.abort()
  }

  /** Reads only when the last chunk has been written, so a slow side slows the other. */
  async #forward(direction: Direction, from: Socket, to: Socket): Promise<void> {
    let passed = 0
    try {
      for await (const chunk of from.iterator({ destroyOnReturn: false })) {
        // A socket without an encoding gives buffers.
        const bytes = chunk as Buffer
        if (!(await this.#pass(direction, to, bytes, passed))) return
        passed += bytes.length
      }
      if (!this.#isStalled) to.end()
    } catch {
      // The side was reset or the connection ended; the close handlers take it from there.
    }
  }

  /** Writes a chunk as the fault demands; false when nothing more passes in this direction. */
  async #pass(direction: Direction, to: Socket, bytes: Buffer, passed: number): Promise<boolean> {
    const fault = this.#fault
    if (this.#isStalled) return false
    if (!('direction' in fault) || fault.direction !== direction) return await write(to, bytes)
    if (fault.kind === 'delay') {
      this.#note()
      await sleep(fault.delayMs, undefined, { signal: this.#ended.signal })
      return await write(to, bytes)
    }
    if (fault.kind === 'fragment') return await this.#writeSingly(to, bytes, Math.max(0, fault.bytes - passed))
    return await this.#passUntilCut(fault.kind, to, bytes, fault.afterBytes - passed)
  }

  async #passUntilCut(kind: 'reset' | 'stall', to: Socket, bytes: Buffer, left: number): Promise<boolean> {
    if (bytes.length < left) return await write(to, bytes)
    await write(to, bytes.subarray(0, left))
    this.#note()
    if (kind === 'reset') this.reset()
    else this.#isStalled = true
    return false
  }

  /** A turn of the event loop between bytes: written in one turn, the kernel would join them. */
  async #writeSingly(to: Socket, bytes: Buffer, singly: number): Promise<boolean> {
    const end = Math.min(bytes.length, singly)
    if (end > 0) this.#note()
    for (let at = 0; at < end; at++) {
      await write(to, bytes.subarray(at, at + 1))
      await nextTurn()
    }
    return end === bytes.length ? true : await write(to, bytes.subarray(end))
  }

  #note(): void {
    if (this.#hasFaulted) return
    this.#hasFaulted = true
    this.#onFault()
  }
}

/** Resolves when the bytes have left for the kernel; rejects when the socket has gone. */
async function write(socket: Socket, bytes: Buffer): Promise<true> {
  return await new Promise((resolve, reject) => {
    socket.write(bytes, (error) => {
      if (error === undefined || error === null) resolve(true)
      else reject(error)
    })
  })
}
