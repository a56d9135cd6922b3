import type { Capability } from './capability.ts'

/** What every part must have seen, whatever the runtime. Written by hand: nothing here comes from a run. */
export type Expected = Readonly<Record<Capability, Readonly<Record<string, unknown>>>>

export function expectedStory(entries: readonly string[]): Expected {
  return {
    import: Object.fromEntries(entries.map((entry) => [entry, 'exports'])),
    replicate: {
      'SQLite': { counts: [11, 1], rows: [...copied, later(12)] },
      'PostgreSQL': { counts: [3, 1], rows: fromPostgres },
      'SQLite to libSQL': { counts: [12, 1], rows: [...copied, later(12), later(13)] },
    },
    stream: { SQLite: sqliteChanges, PostgreSQL: postgresChanges },
    export: { 'SQL': dumped(13), 'Parquet': dumped(13), 'PostgreSQL as NDJSON': dumped(4) },
    restore: { SQL: [...exact, later(12), later(13)], Parquet: [...exact, later(12), later(13)] },
    propagate: { 'over HTTP': { behind: [], rows: [...propagated, later(12), later(13), row(30, text('propagated'), ['blob', '01'])] } },
    serve: {
      'health': [200, { status: 'ok', checks: [] }],
      'status': [200, { configs: [] }],
      'page': true,
      'no token': 401,
      'feed': { op: 'insert', key: { id: 40 }, after: { id: 40, label: 'served', value: 1.5 } },
    },
  }
}

type Cell = readonly [storageClass: string, value: string | number]

const NONE: Cell = ['null', '']

function hex(value: string): string {
  return Array.from(new TextEncoder().encode(value), (byte) => byte.toString(16).padStart(2, '0')).join('').toUpperCase()
}

function text(value: string): Cell {
  return ['text', hex(value)]
}

function integer(digits: string): Cell {
  return ['integer', hex(digits)]
}

function real(value: string | number): Cell {
  return ['real', value]
}

function row(id: number | string, ...cells: readonly Cell[]): readonly unknown[] {
  return [integer(String(id)), ...cells].flat()
}

function later(id: number): readonly unknown[] {
  return row(id, text('later'), real(2.5))
}

function cells(changed: { readonly infinity: Cell; readonly integer: Cell }): readonly (readonly unknown[])[] {
  return [
    row(1, text('largest integer'), integer('9223372036854775807')), row(2, text('beyond 2^53'), integer('-9007199254740993')), row(3, text('integer'), changed.integer),
    row(4, text('real'), real(1)), row(5, text('tenth'), real(0.1)), row(6, text('infinity'), changed.infinity), row(7, text('bytes'), ['blob', '00FF']), row(8, text('NUL'), text('a\0b')),
    row(9, text('é😀'), text(`it's; \n`)), row(10, NONE, NONE), row(11, text(''), text('')),
  ]
}

const exact = cells({ infinity: real('-Inf'), integer: integer('1') })

/** An infinity in the form that was chosen for it. */
const copied = cells({ infinity: text('-Infinity'), integer: integer('1') })

/** One row was changed, and the last deleted. */
const propagated = cells({ infinity: real('-Inf'), integer: integer('9007199254740995') }).slice(0, -1)

const fromPostgres = [
  row(1, text('é😀'), text('12345678901234567890.0123456789'), text('2024-01-02T03:04:05.000001Z'), ['blob', '00FF'], real(0.1), text('["a","b\\"c"]')),
  row(2, NONE, NONE, text('infinity'), NONE, text('-Infinity'), NONE),
  row('9007199254740993', text(''), text('-0.0000000001'), text('1969-12-31T23:59:59.999999Z'), ['blob', ''], real(1), text('[]')),
  row('9223372036854775807', text('later'), NONE, NONE, NONE, NONE, NONE),
]

function snapshot(id: unknown, rest: Readonly<Record<string, unknown>>): readonly unknown[] {
  return ['snapshot', { id }, { id, ...rest }]
}

function written(rest: Readonly<Record<string, unknown>>, before: Readonly<Record<string, unknown>>): readonly unknown[] {
  const id = 20
  return [['insert', { id }, { id, label: 'streamed', ...rest }], ['update', { id }, { id, label: 'changed', ...rest }], ['delete', { id }, { id, ...before }]]
}

const VALUES: readonly (readonly [label: string | null, value: unknown])[] = [
  ['largest integer', '9223372036854775807n'], ['beyond 2^53', '-9007199254740993n'], ['integer', '1n'], ['real', 1], ['tenth', 0.1], ['infinity', '-Infinity'], ['bytes', 'x00ff'], ['NUL', 'a\0b'],
  ['é😀', `it's; \n`], [null, null], ['', ''], ['later', 2.5], ['later', 2.5],
]

const sqliteChanges = [...VALUES.map(([label, value], index) => snapshot(index + 1, { label, value })), ...written({ value: null }, { label: 'changed', value: null })]

const EMPTY = { amount: null, made: null, bytes: null, ratio: null, tags: null }

/** Of a deleted row PostgreSQL tells the key. */
const postgresChanges = [
  snapshot(1, { label: 'é😀', amount: '12345678901234567890.0123456789', made: '2024-01-02T03:04:05.000001Z', bytes: 'x00ff', ratio: 0.1, tags: '["a","b\\"c"]' }),
  snapshot(2, { ...EMPTY, label: null, made: 'infinity', ratio: '-Infinity' }),
  snapshot('9007199254740993n', { label: '', amount: '-0.0000000001', made: '1969-12-31T23:59:59.999999Z', bytes: 'x', ratio: 1, tags: '[]' }),
  snapshot('9223372036854775807n', { label: 'later', ...EMPTY }),
  ...written(EMPTY, {}),
]

function dumped(rows: number): unknown {
  return { status: 'completed', rows, ok: true, findings: [] }
}
