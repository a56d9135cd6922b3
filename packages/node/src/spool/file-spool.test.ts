import { randomBytes } from 'node:crypto'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { fileSpool } from './file-spool.ts'

async function within(work: (folder: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'tidemark-file-spool-'))
  try {
    await work(folder)
  } finally {
    await rm(folder, { recursive: true })
  }
}

describe('a spool of files', () => {
  it('gives back what was written, at any place, and fewer bytes at the end', async () => {
    await within(async (folder) => {
      await using file = await fileSpool({ folder: join(folder, 'new', 'one') }).open()
      const bytes = randomBytes(300_000)
      await file.write(0, bytes)
      await file.write(bytes.length, bytes)
      await file.write(10, bytes.subarray(0, 5))
      expect(Buffer.compare(await file.read(bytes.length, bytes.length), bytes)).toBe(0)
      expect(Buffer.compare(await file.read(10, 5), bytes.subarray(0, 5))).toBe(0)
      expect(await file.read(2 * bytes.length - 3, 10)).toHaveLength(3)
      expect(await file.read(2 * bytes.length, 10)).toHaveLength(0)
    })
  })

  it.skipIf(process.platform === 'win32')('has no name that somebody else could find, and that a killed process would leave', async () => {
    await within(async (folder) => {
      await using file = await fileSpool({ folder }).open()
      await file.write(0, Buffer.from('content'))
      expect(await readdir(folder)).toEqual([])
      expect(Buffer.from(await file.read(0, 7)).toString()).toBe('content')
    })
  })

  it('says by a code what the system says', async () => {
    await expect(fileSpool({ folder: '/dev/null/none' }).open()).rejects.toMatchObject({ code: 'SPOOL_FAILED', detail: 'ENOTDIR', retryable: true })
    const file = await fileSpool().open()
    await file[Symbol.asyncDispose]()
    await expect(file.write(0, Buffer.from('x'))).rejects.toMatchObject({ code: 'SPOOL_FAILED', detail: 'EBADF' })
    await expect(fileSpool().open({ signal: AbortSignal.abort() })).rejects.toMatchObject({ code: 'ABORTED' })
  })
})
