import { SHARED, type History, type Step } from './history.ts'

/** A step, with the number of the savepoint that it is in. */
type Act =
  | { readonly kind: 'row'; readonly xid: number; readonly table: number; readonly bytes: number }
  | { readonly kind: 'alter' | 'begin'; readonly xid: number }
  /** `parts`: what goes with it, the inner ones first. */
  | { readonly kind: 'abort'; readonly xid: number; readonly parts: readonly number[] }
  | { readonly kind: 'end'; readonly xid: number; readonly parts: readonly number[]; readonly isCommitted: boolean }

interface Open {
  readonly xid: number
  readonly own: number
  readonly acts: Act[]
  /** Of its own table, by savepoint: to go back to. */
  readonly versions: Map<number, number>
  readonly described: Set<number>
  readonly rows: { readonly xid: number; readonly text: string }[]
  readonly tables: { readonly xid: number; readonly text: string }[]
  version: number
  hasPiece: boolean
}

/**
 * Sends what a history makes as PostgreSQL does: every transaction in pieces, and which tables it takes for described (`pgoutput.c`, `maybe_send_schema`). Releases up to 18
 * describe a table again once a part of the transaction was taken back; this one does not, which is harder. Beside that, what is to be told in the end.
 */
export class ModelServer {
  readonly messages: Buffer[] = []
  readonly expected: string[] = []
  /** Tables, with the version of their columns, that somebody may be told of. */
  readonly tellable = new Set<string>()
  readonly #described = new Set<number>()
  readonly #versions = new Map<number, number>()
  readonly #open: Open[]
  readonly #ended: number[] = []
  #piece: Open | undefined
  #xids = 100
  #lsn = 1_000n
  #rows = 0
  #lastVersion = 0

  constructor({ transactions, order }: History) {
    this.#open = transactions.map(({ steps, isCommitted }, index) => this.#begin(steps, isCommitted, SHARED + index))
    for (const turn of order) {
      if (turn === 'small') this.#small()
      else if (turn === 'publish') this.#publish()
      else this.#advance(this.#open[turn % this.#open.length])
    }
    for (const open of this.#open) while (open.acts.length > 0) this.#advance(open)
    this.#small()
  }

  #begin(steps: readonly Step[], isCommitted: boolean, own: number): Open {
    const xid = this.#xids++
    const acts: Act[] = []
    const released = this.#flatten(steps, xid, acts)
    acts.push({ kind: 'end', xid, isCommitted, parts: released })
    return { xid, own, acts, versions: new Map([[xid, 0]]), described: new Set(), rows: [], tables: [], version: 0, hasPiece: false }
  }

  /** Gives the savepoints that were kept. */
  #flatten(steps: readonly Step[], xid: number, acts: Act[]): readonly number[] {
    return steps.flatMap((step): readonly number[] => {
      if (step.kind !== 'savepoint') return (acts.push({ ...step, xid }), [])
      const inner = this.#xids++
      acts.push({ kind: 'begin', xid: inner })
      const released = this.#flatten(step.steps, inner, acts)
      if (step.isKept) return [...released, inner]
      acts.push({ kind: 'abort', xid: inner, parts: [...released, inner] })
      return []
    })
  }

  #advance(open: Open | undefined): void {
    const act = open?.acts.shift()
    if (open === undefined || act === undefined) return
    switch (act.kind) {
      case 'begin': return void open.versions.set(act.xid, open.version)
      case 'alter': {
        open.version = ++this.#lastVersion
        return this.#invalidate(open.own)
      }
      case 'row': return this.#row(open, act)
      case 'abort': return this.#abort(open, act)
      case 'end': return this.#end(open, act)
      default: return act satisfies never
    }
  }

  #row(open: Open, { xid, table, bytes }: Extract<Act, { readonly kind: 'row' }>): void {
    if (this.#piece !== open) {
      this.#stop()
      this.messages.push(message('S', uint(open.xid), byte(open.hasPiece ? 0 : 1)))
      open.hasPiece = true
      this.#piece = open
    }
    const id = table === SHARED ? open.own : table
    const version = table === SHARED ? open.version : this.#versions.get(id) ?? 0
    if (!open.described.has(id)) {
      this.messages.push(message('R', uint(xid), description(id, version)))
      open.described.add(id)
      open.tables.push({ xid, text: `${id}.${version}` })
    }
    const value = String(this.#rows++)
    this.messages.push(message('I', uint(xid), insert(id, value.padEnd(bytes))))
    open.rows.push({ xid, text: `insert ${id}.${version} ${value}` })
  }

  #abort(open: Open, { xid, parts }: Extract<Act, { readonly kind: 'abort' }>): void {
    this.#takeBack(open, parts)
    const version = open.versions.get(xid) ?? 0
    if (version !== open.version) this.#invalidate(open.own)
    open.version = version
  }

  /** Only what has sent something is told of. */
  #takeBack(open: Open, parts: readonly number[]): void {
    this.#stop()
    for (const part of parts) {
      if (![...open.rows, ...open.tables].some(({ xid }) => xid === part)) continue
      this.messages.push(message('A', uint(open.xid), uint(part)))
      for (const list of [open.rows, open.tables]) list.splice(0, list.length, ...list.filter(({ xid }) => xid !== part))
    }
  }

  #end(open: Open, { isCommitted, parts }: Extract<Act, { readonly kind: 'end' }>): void {
    this.#stop()
    this.#ended.push(open.own)
    if (!open.hasPiece) return
    if (!isCommitted) {
      this.#takeBack(open, parts)
      this.messages.push(message('A', uint(open.xid), uint(open.xid)))
      return this.#invalidate(open.own)
    }
    const lsn = this.#nextLsn()
    this.messages.push(message('c', uint(open.xid), byte(0), ulong(lsn), ulong(lsn + 8n), ulong(7n)))
    this.#versions.set(open.own, open.version)
    for (const id of open.described) this.#described.add(id)
    // By the row that needs it, where its own description was taken back.
    for (const { text } of [...open.tables, ...open.rows.map((row) => ({ text: row.text.split(' ')[1] ?? '' }))]) this.tellable.add(text)
    open.described.clear()
    this.expected.push(`begin ${open.xid} ${lsn}`, ...open.rows.map(({ text }) => text), `commit ${lsn}`)
  }

  /** A transaction that is sent as a whole: a row of each table that nobody else is at. */
  #small(): void {
    this.#stop()
    const xid = this.#xids++
    const lsn = this.#nextLsn()
    this.messages.push(message('B', ulong(lsn), ulong(7n), uint(xid)))
    this.expected.push(`begin ${xid} ${lsn}`)
    for (const id of [...Array.from({ length: SHARED }, (_, table) => table), ...this.#ended]) {
      const version = this.#versions.get(id) ?? 0
      if (!this.#described.has(id)) {
        this.messages.push(message('R', description(id, version)))
        this.#described.add(id)
      }
      this.tellable.add(`${id}.${version}`)
      const value = String(this.#rows++)
      this.messages.push(message('I', insert(id, value)))
      this.expected.push(`insert ${id}.${version} ${value}`)
    }
    this.messages.push(message('C', byte(0), ulong(lsn), ulong(lsn + 8n), ulong(7n)))
    this.expected.push(`commit ${lsn}`)
  }

  /** Other columns of a table are published, also while transactions have used it. */
  #publish(): void {
    const id = this.#rows % SHARED
    this.#versions.set(id, ++this.#lastVersion)
    this.#invalidate(id)
  }

  #invalidate(id: number): void {
    this.#described.delete(id)
    for (const { described } of this.#open) described.delete(id)
  }

  #stop(): void {
    if (this.#piece !== undefined) this.messages.push(message('E'))
    this.#piece = undefined
  }

  #nextLsn(): bigint {
    this.#lsn += 16n
    return this.#lsn
  }
}

function message(kind: string, ...parts: readonly Buffer[]): Buffer {
  return Buffer.concat([Buffer.from(kind), ...parts])
}

/** One column, named after the version. */
function description(id: number, version: number): Buffer {
  return Buffer.concat([uint(id), Buffer.from(`public\0${id}\0d`), Buffer.of(0, 1), byte(1), Buffer.from(`v${version}\0`), uint(25), uint(0xffff_ffff)])
}

function insert(id: number, value: string): Buffer {
  return Buffer.concat([uint(id), Buffer.from('N'), Buffer.of(0, 1), Buffer.from('t'), uint(value.length), Buffer.from(value)])
}

function byte(value: number): Buffer {
  return Buffer.of(value)
}

function uint(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(value)
  return bytes
}

function ulong(value: bigint): Buffer {
  const bytes = Buffer.alloc(8)
  bytes.writeBigUInt64BE(value)
  return bytes
}
