import { describe, expect, it } from 'vitest'
import { RecordingDecoder } from './test/decode-recorded.ts'
import { RECORDED } from './test/recorded-messages.ts'

const AT = '2024-01-02T03:04:05.600000Z'
const BYTES = Uint8Array.of(0, 255)

function decode(messages: readonly Buffer[]): RecordingDecoder {
  const decoder = new RecordingDecoder()
  for (const message of messages) decoder.decode(message)
  return decoder
}

/** What is told of a message behind a relation that has two columns, int4 and text. */
function codeOf(...messages: readonly string[]): string {
  try {
    decode(messages.map((hex) => Buffer.from(hex, 'hex')))
    return 'no error'
  } catch (error) {
    return error instanceof Error && 'code' in error ? String(error.code) : String(error)
  }
}

const WHOLE = '52000040117075626c69630077686f6c65006600020169640000000017ffffffff016e6f74650000000019ffffffff'

describe('the pgoutput decoder', () => {
  it('reads what a server has sent', () => {
    const { told, relations } = decode(RECORDED)
    expect(relations.map(({ schema, table, identity }) => `${schema}.${table} ${identity}`)).toEqual(['public.plain d', 'public.whole f'])
    expect(relations[0]?.columns.map(({ name, isIdentity }) => `${name} ${isIdentity}`)).toEqual(['id true', 'flag false', 'amount false', 'at false', 'data false', 'feeling false', 'big false'])
    expect(relations[1]?.columns.map(({ isIdentity }) => isIdentity)).toEqual([true, true])
    expect(told).toEqual([
      { begin: { finalLsn: 0x1b8cdc8n, committedAtMs: 1795792655156, xid: 758 } },
      { insert: 'plain', after: [1, 1, '12.50', AT, BYTES, 'glad', 'x'.repeat(3000)] },
      { insert: 'plain', after: [-9007199254740993n, null, null, null, null, null, ''] },
      { update: 'plain', before: undefined, kind: undefined, after: [1, 0, '12.50', AT, BYTES, 'glad', undefined] },
      { update: 'plain', before: [1, null, null, null, null, null, null], kind: 'key', after: [2, 0, '12.50', AT, BYTES, 'glad', undefined] },
      { delete: 'plain', before: [2, null, null, null, null, null, null], kind: 'key' },
      { insert: 'whole', after: [1, 'a'] },
      { update: 'whole', before: [1, 'a'], kind: 'full', after: [1, null] },
      { delete: 'whole', before: [1, null], kind: 'full' },
      { message: { isTransactional: true, lsn: 0x1b8cdc8n, prefix: 'outbox', content: new TextEncoder().encode('hello') } },
      { commit: { commitLsn: 0x1b8cdc8n, endLsn: 0x1b8cdf8n } },
      { begin: { finalLsn: 0x1b8ce40n, committedAtMs: 1795792655156, xid: 759 } },
      { origin: 'elsewhere' },
      { insert: 'whole', after: [7, 'from afar'] },
      { commit: { commitLsn: 0x1b8ce40n, endLsn: 0x1b8ce88n } },
      { begin: { finalLsn: 0x1b8e258n, committedAtMs: 1795792655159, xid: 760 } },
      { truncate: ['plain', 'whole'], cascade: false, restartIdentity: true },
      { commit: { commitLsn: 0x1b8e258n, endLsn: 0x1b8e498n } },
    ])
  })

  it.each([
    ['a message of an unknown kind', ['5300']],
    ['no message at all', ['']],
    ['a change of a table that was not described', ['49000040114e0002740000000131740000000161']],
    ['a row with another number of columns', [WHOLE, '49000040114e0001740000000131']],
    ['a value in the binary form', [WHOLE, '49000040114e0002620000000131740000000161']],
    ['a row that is cut short', [WHOLE, '49000040114e00027400000001317400000002']],
    ['a value with a negative length', [WHOLE, '49000040114e000274000000013174ffffffff']],
    ['a row with something behind it', [WHOLE, '49000040114e000274000000013174000000016100']],
    ['a number that is none', [WHOLE, '49000040114e0002740000000161740000000161']],
    ['an insert without a row', [WHOLE, '49000040114b0002740000000131740000000161']],
    ['a table without the end of its name', ['52000040117075626c']],
    ['a commit with flags', ['43010000000001b8cdc80000000001b8cdf800030442541525fe']],
    ['a truncate with flags', [WHOLE, '540000000104000040114']],
  ])('refuses %s', (_, messages) => {
    expect(codeOf(...messages)).toBe('LOG_UNDECODABLE')
  })

  it('quotes no value in an error', () => {
    const row = Buffer.concat([Buffer.from('49000040114e00027400000006', 'hex'), Buffer.from('secret'), Buffer.from('740000000161', 'hex')])
    const messages = [Buffer.from(WHOLE, 'hex'), row]
    expect(() => decode(messages)).toThrow('a number that is none')
    expect(() => decode(messages)).not.toThrow('secret')
  })
})
