import { describe, expectTypeOf, it } from 'vitest'
import type { ChangeBatch } from '../change/change-batch.ts'
import type { ChangeRow } from '../change/change-event.ts'
import { ChangeStream } from './change-stream.ts'
import { ScriptedLog } from './test/scripted-log.ts'

/** As Kysely has it: a column may have other types for reading and for writing. */
interface Generated<Type> {
  readonly __select__: Type
  readonly __insert__: Type | undefined
}

interface DB {
  users: { id: Generated<number>; email: string | null }
  orders: { id: number; total: string }
}

const source = new ScriptedLog().source

// The compiler is the test: this file is type-checked with all others. What runs here only builds the streams.
describe('types of a stream', () => {
  it('narrow by table and op', () => {
    const stream = new ChangeStream<DB>({ source })
    stream.on('change', (event) => {
      if (event.table !== 'users') return expectTypeOf(event.table).toEqualTypeOf<'orders'>()
      if (event.op === 'insert') expectTypeOf(event.after).toEqualTypeOf<Readonly<{ id: number; email: string | null }>>()
      if (event.op === 'delete') expectTypeOf(event.after).toEqualTypeOf<null>()
      return expectTypeOf(event.after?.email).toEqualTypeOf<string | null | undefined>()
    })
    // @ts-expect-error no such table
    stream.on('change', (event) => event.table === 'user')
    // @ts-expect-error no such event
    stream.on('changes', () => undefined)
  })

  it('give a handler the tables it asked for', () => {
    const stream = new ChangeStream<DB>({ source })
    const subscribe = () => stream.subscribe({ id: 'a', tables: ['users'] }, (batch) => {
      expectTypeOf(batch).toEqualTypeOf<ChangeBatch<Pick<DB, 'users'>>>()
      for (const event of batch.events) expectTypeOf(event.table).toEqualTypeOf<'users'>()
    })
    const all = () => stream.subscribe({ id: 'a', deadLetter: (batch) => batch.events[0]?.table }, (batch) => {
      for (const event of batch.events) expectTypeOf(event.table).toEqualTypeOf<'users' | 'orders'>()
    })
    // @ts-expect-error no such table
    const wrong = () => stream.subscribe({ id: 'a', tables: ['user'] }, () => undefined)
    // @ts-expect-error snapshots are not filtered by op
    const snapshots = () => stream.subscribe({ id: 'a', ops: ['snapshot'] }, () => undefined)
    expectTypeOf([subscribe, all, wrong, snapshots]).toBeArray()
  })

  it('give a loop the tables it asked for', () => {
    const stream = new ChangeStream<DB>({ source })
    const read = async () => {
      for await (const batch of stream.live({ tables: ['orders'] })) {
        for (const event of batch.events) if (event.op === 'insert') expectTypeOf(event.after.total).toEqualTypeOf<string>()
      }
    }
    expectTypeOf(read).returns.resolves.toBeVoid()
  })

  it('take any table without a type', () => {
    const stream = new ChangeStream({ source })
    stream.on('change', (event) => {
      if (event.table === 'anything' && event.op === 'insert') expectTypeOf(event.after).toEqualTypeOf<Readonly<ChangeRow>>()
    })
    const subscribe = () => stream.subscribe({ id: 'a', tables: ['anything'] }, (batch) => expectTypeOf(batch).toEqualTypeOf<ChangeBatch>())
    expectTypeOf(subscribe).toBeFunction()
  })
})
