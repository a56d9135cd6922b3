import type { Spool, SpoolFile } from '@tidemark/core'
import { fileSpool } from '@tidemark/node'

/** What becomes of a file's content, behind the back of its user. */
export type Damage = (bytes: Uint8Array) => Uint8Array

/** Real files, counted. */
export class ObservedSpool implements Spool {
  readonly #files = fileSpool()
  readonly #damage: Damage
  opened = 0
  left = 0
  written = 0
  #waiters: (() => void)[] = []

  constructor(damage: Damage = (bytes) => bytes) {
    this.#damage = damage
  }

  async open(): Promise<SpoolFile> {
    const file = await this.#files.open()
    this.opened += 1
    this.left += 1
    for (const wake of this.#waiters.splice(0)) wake()
    return {
      write: async (at, bytes) => {
        await file.write(at, bytes)
        this.written += bytes.length
      },
      read: async (at, length) => this.#damage(await file.read(at, length)),
      [Symbol.asyncDispose]: async () => {
        await file[Symbol.asyncDispose]()
        this.left -= 1
      },
    }
  }

  /** Until a file has been opened. */
  async used(): Promise<void> {
    if (this.opened === 0) await new Promise<void>((resolve) => void this.#waiters.push(resolve))
  }
}
