export interface MemoryPoolOptions {
  /** Of each piece, in bytes. */
  readonly size: number
  /** Kept at most while nobody uses it, to a whole piece. */
  readonly maxFreeBytes: number
}

/**
 * Pieces of memory of one size that are used again. New memory for every read or block would have the collector go through the whole heap every few dozen
 * megabytes, which costs seconds in a gigabyte of rows. A piece that is not given back is left to the collector.
 */
export class MemoryPool {
  readonly size: number
  readonly #maxFree: number
  readonly #free: ArrayBuffer[] = []
  /** Others may be as large: a host may carve small buffers out of one that it shares among all. */
  readonly #own = new WeakSet<ArrayBufferLike>()

  constructor({ size, maxFreeBytes }: MemoryPoolOptions) {
    this.size = size
    this.#maxFree = Math.ceil(maxFreeBytes / size)
  }

  /** With whatever was in it. */
  take(): ArrayBuffer {
    const free = this.#free.pop()
    if (free !== undefined) return free
    const piece = new ArrayBuffer(this.size)
    this.#own.add(piece)
    return piece
  }

  /** Nobody needs what is in the bytes any more, nor anything else that is in the same piece. What is not of this pool is let go. */
  recycle({ buffer }: Uint8Array): void {
    if (buffer instanceof ArrayBuffer && this.#own.has(buffer) && this.#free.length < this.#maxFree) this.#free.push(buffer)
  }
}
