import type { ChangeSlice, SliceLimit } from '@tidemark/core/adapter'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { toPlace, type LogPlace } from './log-place.ts'
import type { StreamTable } from './stream-table.ts'
import { TransactionAssembler } from './transaction-assembler.ts'

const table: StreamTable = { id: 1, schema: 'public', table: 'items', isCaptured: true, names: ['id'], readers: [], key: [0], identity: [0], columns: [], version: 1 }
const other: StreamTable = { ...table, id: 2, table: 'other', isCaptured: false }
const START: LogPlace = { epoch: 'epoch', lsn: 100n, delivered: undefined }

type Message =
  | { readonly kind: 'begin' | 'commit'; readonly lsn: bigint; readonly end: bigint }
  | { readonly kind: 'insert'; readonly isCaptured: boolean; readonly id: number; readonly bytes: number }
  | { readonly kind: 'schema' | 'reached'; readonly lsn: bigint }

/** Changes of a transaction: `null` is one of a table that is not captured, `'schema'` new columns in front of the next. */
const transactions = fc.array(fc.record({
  changes: fc.array(fc.oneof({ weight: 6, arbitrary: fc.constantFrom(10, 200, 100_000) }, { weight: 1, arbitrary: fc.constant(null) }, { weight: 1, arbitrary: fc.constant('schema' as const) }), { maxLength: 12 }),
  /** 0: the next commit lies right behind. */
  space: fc.nat(1), isReached: fc.boolean(),
}), { maxLength: 8 })

function messagesOf(list: readonly { readonly changes: readonly (number | null | 'schema')[]; readonly space: number; readonly isReached: boolean }[]): readonly Message[] {
  let lsn = START.lsn
  let id = 0
  return list.flatMap(({ changes, space, isReached }) => {
    const begin = lsn
    const end = begin + 48n
    lsn = end + BigInt(space * 100)
    const rows = changes.flatMap((change): readonly Message[] => {
      if (change === 'schema') return [{ kind: 'schema', lsn: begin }, { kind: 'insert', isCaptured: true, id: id++, bytes: 10 }]
      return [{ kind: 'insert', isCaptured: change !== null, id: change === null ? -1 : id++, bytes: change ?? 10 }]
    })
    const behind: readonly Message[] = isReached ? [{ kind: 'reached', lsn }] : []
    return [{ kind: 'begin', lsn: begin, end }, ...rows, { kind: 'commit', lsn: begin, end }, ...behind]
  })
}

function tell(assembler: TransactionAssembler, message: Message): void {
  switch (message.kind) {
    case 'begin': return assembler.begin({ finalLsn: message.lsn, committedAtMs: 0, xid: 1 })
    case 'commit': return assembler.commit({ commitLsn: message.lsn, endLsn: message.end })
    case 'reached': return assembler.reached(message.lsn)
    case 'schema': return assembler.schema({ type: 'schema', schema: 'public', table: 'items', columns: [], key: ['id'], version: 2 })
    case 'insert':
      assembler.measure(message.bytes)
      return assembler.insert(message.isCaptured ? table : other, [message.id])
    default: return message satisfies never
  }
}

/** As the reader does it: messages until a slice is due, which is taken; every message that has come is told in the end. */
function slicesOf(messages: readonly Message[], after: LogPlace, limit: SliceLimit): readonly ChangeSlice[] {
  const assembler = new TransactionAssembler({ source: 'test', after })
  const slices: ChangeSlice[] = []
  for (let at = 0, isLast = false; !isLast;) {
    for (; at < messages.length && !assembler.isFull(limit); at += 1) {
      const message = messages[at]
      if (message !== undefined) tell(assembler, message)
    }
    const slice = assembler.take(limit, at === messages.length && !assembler.isFull(limit))
    slices.push(slice)
    isLast = slice.isLast
    // Three for each message would be a reader that stands still.
    expect(slices.length).toBeLessThan(3 * messages.length + 3)
  }
  return slices
}

const idsOf = (slices: readonly ChangeSlice[]): readonly unknown[] => slices.flatMap(({ events }) => events.map(({ key }) => key?.['id']))

describe('slices of a stream', () => {
  const input = fc.record({ list: transactions, events: fc.integer({ min: 1, max: 5 }), bytes: fc.constantFrom(1, 2_000, 1_000_000) })

  it('have every change once, in order, whole or in parts that say so', () => {
    fc.assert(fc.property(input, ({ list, events, bytes }) => {
      const messages = messagesOf(list)
      const slices = slicesOf(messages, START, { events, bytes })
      expect(idsOf(slices)).toEqual(messages.flatMap((message) => (message.kind === 'insert' && message.isCaptured ? [message.id] : [])))
      let isOpen = false
      for (const slice of slices) {
        if (slice.events.length > 0 || slice.schemas.length > 0) {
          expect(slice.begin).toBe(!isOpen)
          isOpen = !slice.commit
        }
        expect(slice.events.length).toBeLessThanOrEqual(events + 1)
        if (slice.events.length > 0) expect(slice.events.at(-1)?.tx.last).toBe(slice.commit)
      }
      expect(isOpen).toBe(false)
      const lasts = slices.flatMap(({ events: all }) => all.filter(({ tx }) => tx.last))
      expect(lasts.length).toBe(list.filter(({ changes }) => changes.some((change) => change !== null)).length)
      const sequences = slices.map(({ position }) => position.sequence)
      expect(sequences.toSorted()).toEqual(sequences)
    }))
  })

  it('go on from the position of any of them as if nothing had been', () => {
    fc.assert(fc.property(input, fc.nat(), fc.integer({ min: 1, max: 5 }), ({ list, events, bytes }, which, againEvents) => {
      const messages = messagesOf(list)
      const slices = slicesOf(messages, START, { events, bytes })
      const at = which % slices.length
      const position = slices[at]?.position
      if (position === undefined) return
      const again = slicesOf(messages, toPlace(position), { events: againEvents, bytes })
      expect(idsOf(again)).toEqual(idsOf(slices.slice(at + 1)))
      const idOf = (all: readonly ChangeSlice[]): readonly string[] => all.flatMap((slice) => slice.events.map(({ id, tx }) => `${id} ${tx.sequence} ${tx.last}`))
      expect(idOf(again)).toEqual(idOf(slices.slice(at + 1)))
    }))
  })
})
