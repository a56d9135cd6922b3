import { describe, expect, it } from 'vitest'
import { RecordingDecoder } from '../test/decode-recorded.ts'
import { decodeStreamed } from './test/decode-streamed.ts'
import { STREAMED } from './test/streamed-messages.ts'

const AT = '2024-01-02T03:04:05.600000Z'
const ROW = [1, '12.50', AT, Uint8Array.of(0, 255), 'glad'] as const

function decode(messages: readonly Buffer[]): RecordingDecoder {
  const decoder = new RecordingDecoder()
  decodeStreamed(messages, decoder)
  return decoder
}

function codeOf(...messages: readonly string[]): string {
  try {
    decode(messages.map((hex) => Buffer.from(hex, 'hex')))
    return 'no error'
  } catch (error) {
    return error instanceof Error && 'code' in error ? String(error.code) : String(error)
  }
}

const START = '530000000101'
const STOP = '45'
const WHOLE = '5200000001000040117075626c69630077686f6c65006600020169640000000017ffffffff016e6f74650000000019ffffffff'
const COMMIT = '6300000001000000000001b8b7980000000001b8b7c80003044b2fe5f186'

describe('a stream of transactions that go on', () => {
  it('tells of those that are committed, in the order of their commits, without what they took back', () => {
    const { told, relations } = decode(STREAMED)
    expect(told).toEqual([
      { begin: { finalLsn: 0x1b8b798n, committedAtMs: 1795830702788, xid: 0x2fa } },
      { insert: 'whole', after: [9, 'small'] },
      { commit: { commitLsn: 0x1b8b798n, endLsn: 0x1b8b7c8n } },
      { begin: { finalLsn: 0x1b8c1a0n, committedAtMs: 1795830702792, xid: 0x2f5 } },
      { insert: 'plain', after: [1, ...ROW] },
      { insert: 'whole', after: [2, 'c'] },
      { update: 'plain', before: [1, null, null, null, null, null], kind: 'key', after: [2, ...ROW] },
      { delete: 'whole', before: [2, 'c'], kind: 'full' },
      { message: { isTransactional: true, lsn: 0x1b8b928n, prefix: 'outbox', content: new TextEncoder().encode('hello') } },
      { truncate: ['whole'], cascade: false, restartIdentity: false },
      { commit: { commitLsn: 0x1b8c1a0n, endLsn: 0x1b8c2b8n } },
      { begin: { finalLsn: 0x1b8c928n, committedAtMs: 1795830702793, xid: 0x2fc } },
      { origin: 'elsewhere' },
      { insert: 'whole', after: [7, 'from afar'] },
      { insert: 'whole', after: [10, null] },
      { commit: { commitLsn: 0x1b8c928n, endLsn: 0x1b8c978n } },
    ])
    // The third column was taken back before anybody could know of it.
    expect(relations.filter(({ table }) => table === 'whole').map(({ columns }) => columns.length)).toEqual([2, 2, 2, 2, 2])
  })

  it.each([
    ['a piece within a piece', [START, START]],
    ['the end of a piece that has not begun', [STOP]],
    ['the end of a piece with something behind it', [START, '4500']],
    ['a piece of a transaction that has not begun', ['530000000100']],
    ['the beginning of one that has begun', [START, STOP, START]],
    ['a piece with unknown flags', ['530000000102']],
    ['the commit of a transaction that has not begun', [COMMIT]],
    ['its commit within a piece', [START, COMMIT]],
    ['a commit with flags', [START, STOP, COMMIT.replace('630000000100', '630000000101')]],
    ['the end of a transaction that has not begun', ['410000000100000001']],
    ['an end that is cut short', [START, STOP, '4100000001000000']],
    ['another transaction within a piece', [START, '420000000001b8cdc800030442541525fe000002f6']],
    ['a message of an unknown kind within a piece', [START, '5a00000001']],
    ['a change without its transaction', [START, '490000']],
    ['a change of a table that the transaction did not describe', [START, '4900000001000040114e0002740000000131740000000161', STOP, COMMIT]],
    ['a row that is cut short', [START, WHOLE, '4900000001000040114e00027400000001317400000002', STOP, COMMIT]],
    ['a description that is cut short', [START, '52000000010000', STOP, COMMIT]],
    ['no message at all', [START, '']],
  ])('refuses %s', (_, messages) => {
    expect(codeOf(...messages)).toBe('LOG_UNDECODABLE')
  })

  it('takes what was refused above, put right', () => {
    expect(codeOf(START, WHOLE, '4900000001000040114e0002740000000131740000000161', STOP, COMMIT)).toBe('no error')
    expect(codeOf(START, STOP, '410000000100000001', START, STOP, COMMIT)).toBe('no error')
  })
})
