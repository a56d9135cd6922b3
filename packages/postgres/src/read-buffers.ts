import type { OnReadOpts, Socket } from 'node:net'

/** As much as Node reads from a socket at a time. */
const BUFFER_BYTES = 65_536
/** 8 MB: what may wait of a COPY, and as much again. */
const MAX_FREE = 128

/**
 * Memory that a socket reads into. Node takes new memory for every read, which is never used again; after a few dozen megabytes of that the collector goes
 * through the whole heap, and a gigabyte of rows costs seconds. What a COPY is done with is read into again; everything else is left to the collector.
 */
export class ReadBuffers {
  readonly #free: ArrayBuffer[] = []
  /** Others may be as large: Node carves small buffers out of one that it shares among all. */
  readonly #own = new WeakSet<ArrayBufferLike>()

  /** For `net.connect`. What is read is given to the socket's listeners for data, as without it. */
  onRead(socket: () => Socket): OnReadOpts {
    return {
      buffer: () => Buffer.from(this.#free.pop() ?? this.#make()),
      callback: (length, buffer) => {
        socket().emit('data', buffer.subarray(0, length))
        return true
      },
    }
  }

  /** Nobody needs what is in the chunk any more, nor anything else that was read with it. */
  recycle({ buffer }: Uint8Array): void {
    if (buffer instanceof ArrayBuffer && this.#own.has(buffer) && this.#free.length < MAX_FREE) this.#free.push(buffer)
  }

  #make(): ArrayBuffer {
    const buffer = new ArrayBuffer(BUFFER_BYTES)
    this.#own.add(buffer)
    return buffer
  }
}
