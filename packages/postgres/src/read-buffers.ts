import type { OnReadOpts, Socket } from 'node:net'
import { MemoryPool } from '@tidemark/core/adapter'

/** As much as Node reads from a socket at a time. */
const BUFFER_BYTES = 65_536
/** What may wait of a COPY, and as much again. */
const MAX_FREE_BYTES = 1 << 23

/** Memory that a socket reads into. What a COPY is done with is read into again; everything else is left to the collector. */
export class ReadBuffers {
  readonly #pool = new MemoryPool({ size: BUFFER_BYTES, maxFreeBytes: MAX_FREE_BYTES })

  /** For `net.connect`. What is read is given to the socket's listeners for data, as without it. */
  onRead(socket: () => Socket): OnReadOpts {
    return {
      buffer: () => Buffer.from(this.#pool.take()),
      callback: (length, buffer) => {
        socket().emit('data', buffer.subarray(0, length))
        return true
      },
    }
  }

  /** Nobody needs what is in the chunk any more, nor anything else that was read with it. */
  recycle(chunk: Uint8Array): void {
    this.#pool.recycle(chunk)
  }
}
