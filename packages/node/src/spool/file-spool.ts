import { randomUUID } from 'node:crypto'
import { mkdir, open, rm, type FileHandle } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { throwIfAborted, TidemarkError, type Spool, type SpoolFile } from '@tidemark/core/adapter'
import { codeOf } from '../storage/storage-error.ts'

export interface FileSpoolOptions {
  /** Made where it is missing. Default: the system's folder of temporary files. */
  readonly folder?: string | undefined
}

/**
 * A spool of files. Only their user may read them. Their names are gone as soon as they are open, so that a process that is killed leaves
 * nothing behind; where a system keeps the names of open files, as Windows does, they go with the end of the file.
 *
 * Errors: `SPOOL_FAILED`, with the system's code in `detail`.
 */
export function fileSpool({ folder = tmpdir() }: FileSpoolOptions = {}): Spool {
  return {
    open: async ({ signal } = {}) => {
      throwIfAborted(signal)
      const path = join(folder, `tidemark-spool-${randomUUID()}`)
      return coded(async () => {
        await mkdir(folder, { recursive: true })
        const handle = await open(path, 'wx+', 0o600)
        await rm(path, { force: true }).catch(() => undefined) // then with its end
        return new OpenFile(handle, path)
      })
    },
  }
}

class OpenFile implements SpoolFile {
  readonly #handle: FileHandle
  readonly #path: string

  constructor(handle: FileHandle, path: string) {
    this.#handle = handle
    this.#path = path
  }

  write(at: number, bytes: Uint8Array): Promise<void> {
    return coded(async () => {
      for (let done = 0; done < bytes.length;) done += (await this.#handle.write(bytes, done, bytes.length - done, at + done)).bytesWritten
    })
  }

  read(at: number, length: number): Promise<Uint8Array> {
    return coded(async () => {
      const bytes = new Uint8Array(length)
      let done = 0
      for (let read = -1; done < length && read !== 0; done += read) read = (await this.#handle.read(bytes, done, length - done, at + done)).bytesRead
      return bytes.subarray(0, done)
    })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await coded(async () => {
      await this.#handle.close()
      await rm(this.#path, { force: true })
    })
  }
}

async function coded<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    const detail = codeOf(error)
    throw new TidemarkError('SPOOL_FAILED', `A file of the spool could not be used (${detail}).`, { detail, cause: error })
  }
}
