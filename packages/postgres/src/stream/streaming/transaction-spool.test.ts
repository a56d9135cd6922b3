import { TidemarkError, type Spool } from '@tidemark/core'
import { fileSpool } from '@tidemark/node'
import { describe, expect, it } from 'vitest'
import type { OpenTransaction } from './open-transaction.ts'
import { messageAt } from './spool-block.ts'
import { ObservedSpool } from './test/observed-spool.ts'
import { TransactionSpool } from './transaction-spool.ts'

const KIB = 1024
const INSERT = 0x49

function open(options: { readonly memoryBytes?: number; readonly maxSpoolBytes?: number; readonly spool?: Spool | undefined }): TransactionSpool {
  return new TransactionSpool({ memoryBytes: 16 * KIB, maxSpoolBytes: 1 << 30, spool: undefined, ...options })
}

/** Messages of one letter, each of a part of the transaction. */
function add(spool: TransactionSpool, transaction: OpenTransaction, parts: readonly number[], bytes: number): void {
  for (const xid of parts) {
    const content = Buffer.alloc(bytes, String(xid))
    spool.add(transaction, { xid, kind: INSERT, bytes: content, from: 0, to: content.length, arrival: 0 })
  }
}

/** The parts whose messages are left, in order. */
async function partsOf(transaction: OpenTransaction): Promise<readonly number[]> {
  const parts: number[] = []
  for (let block = await transaction.shift(); block !== undefined; block = await transaction.shift()) {
    for (let at = 0; at < block.length;) {
      const { xid, from, to, next } = messageAt(block, at)
      expect(block.toString('latin1', from, to)).toBe(`I${String(xid).repeat(to - from - 1)}`)
      if (!transaction.isAborted(xid)) parts.push(xid)
      at = next
    }
  }
  return parts
}

async function codeOf(work: () => Promise<unknown>): Promise<string> {
  try {
    await work()
    return 'no error'
  } catch (error) {
    return error instanceof TidemarkError ? `${error.code} ${error.detail}` : String(error)
  }
}

describe('a spool of transactions', () => {
  it.each([16 * KIB, 1 << 30])('gives back what was not taken back, with %d bytes of memory', async (memoryBytes) => {
    await using spool = open({ memoryBytes, spool: new ObservedSpool() })
    const transaction = spool.begin(1)
    // A block has room for two and a half: parts begin within one.
    for (const parts of [[1, 2, 2, 2], [3, 3, 3, 3, 3], [1, 4]]) {
      add(spool, transaction, parts, 100 * KIB)
      await spool.work()
    }
    spool.abort(1, 4)
    spool.abort(1, 3)
    add(spool, transaction, [5, 1, 6], 100 * KIB)
    spool.abort(1, 6)
    await spool.work()
    expect(await partsOf(transaction)).toEqual([1, 2, 2, 2, 1, 5, 1])
  })

  it('uses the room again of what was taken back', async () => {
    await using spool = open({ maxSpoolBytes: 2_000 * KIB, spool: new ObservedSpool() })
    const transaction = spool.begin(1)
    add(spool, transaction, [1, 1, 1], 100 * KIB)
    for (let part = 2; part < 50; part += 1) {
      add(spool, transaction, Array.from({ length: 10 }, () => part), 100 * KIB)
      await spool.work()
      spool.abort(1, part)
    }
    expect(await partsOf(transaction)).toEqual([1, 1, 1])
  })

  it('puts aside what is largest, and no more than it has to', async () => {
    const files = new ObservedSpool()
    await using spool = open({ memoryBytes: 1_500 * KIB, spool: files })
    const [small, large] = [spool.begin(1), spool.begin(2)]
    add(spool, small, [1, 1], 100 * KIB)
    add(spool, large, Array.from({ length: 14 }, () => 2), 100 * KIB)
    expect(spool.isDue).toBe(true)
    await spool.work()
    expect(spool.isDue).toBe(false)
    expect(small.fileBytes).toBe(0)
    expect(large.fileBytes).toBeGreaterThan(1_400 * KIB)
    expect(files.opened).toBe(1)
    spool.end(large)
    await spool.work()
    expect(files.left).toBe(0)
  })

  it('says when there is no room: in memory, in the spool, on the disk', async () => {
    const filled = (spool: TransactionSpool): Promise<string> => codeOf(async () => {
      const transaction = spool.begin(1)
      for (let round = 0; round < 20; round += 1) {
        add(spool, transaction, [1], 100 * KIB)
        if (spool.isDue) await spool.work()
      }
    })
    expect(await filled(open({ memoryBytes: 1_000 * KIB }))).toBe('SPOOL_FULL memory')
    expect(await filled(open({ memoryBytes: 3_000 * KIB }))).toBe('no error')
    expect(await filled(open({ maxSpoolBytes: 1_000 * KIB, spool: new ObservedSpool() }))).toBe('SPOOL_FULL spool')
    // Nothing can be written to it, and it is a file.
    expect(await filled(open({ spool: fileSpool({ folder: '/dev/null/none' }) }))).toBe('SPOOL_FAILED ENOTDIR')
    expect(await filled(open({ spool: { open: () => Promise.reject(new Error('a row: secret')) } }))).toBe('SPOOL_FAILED undefined')
  })

  it('notices bytes that are not as they were written, or are gone', async () => {
    const damages: readonly ((bytes: Uint8Array) => Uint8Array)[] = [
      (bytes) => bytes.fill(0x7a, bytes.length - 1), (bytes) => bytes.fill(0x7a, 70_000, 70_001), (bytes) => bytes.subarray(0, -1), () => new Uint8Array(),
    ]
    for (const damage of damages) {
      await using spool = open({ spool: new ObservedSpool(damage) })
      const transaction = spool.begin(1)
      add(spool, transaction, [1], 100 * KIB)
      await spool.work()
      expect(await codeOf(() => partsOf(transaction))).toBe('SPOOL_FAILED corrupt')
    }
  })

  it('leaves nothing behind when it is closed', async () => {
    const files = new ObservedSpool()
    {
      await using spool = open({ spool: files })
      for (const xid of [1, 2]) {
        add(spool, spool.begin(xid), [xid], 100 * KIB)
        await spool.work()
      }
      expect(files.left).toBe(2)
    }
    expect(files.left).toBe(0)
  })
})
