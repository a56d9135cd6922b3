import type postgres from 'postgres'

export interface WritersOptions {
  readonly tables: readonly string[]
  readonly seed: number
  readonly writers: number
}

export interface Writers {
  readonly committed: number
  stop(): Promise<void>
}

/** Connections that write all the time, in transactions over several tables: inserts, updates, deletes, moved keys and rollbacks. */
export function startWriters(sql: postgres.Sql, { tables, seed, writers }: WritersOptions): Writers {
  let isStopped = false
  let committed = 0
  const run = async (writer: number): Promise<void> => {
    const next = numbers(seed * 31 + writer)
    while (!isStopped) {
      try {
        await sql.begin(async (tx) => {
          for (let i = 0; i < 1 + next(6); i += 1) await tx.unsafe(statement(tables[next(tables.length)] ?? '', next))
          if (next(10) === 0) throw new RolledBack()
        })
        committed += 1
      } catch (error) {
        // Two writers may meet; what is not committed is not there.
        if (!(error instanceof RolledBack) && !(error instanceof Error && 'code' in error && ['40P01', '23505'].includes(String(error.code)))) throw error
      }
    }
  }
  const runs = Promise.all(Array.from({ length: writers }, (_, writer) => run(writer)))
  return {
    get committed() {
      return committed
    },
    stop: async () => {
      isStopped = true
      await runs
    },
  }
}

class RolledBack extends Error {}

/** Ids beyond those that are there at first come and go; the counter of a row only grows. */
function statement(table: string, next: (below: number) => number): string {
  const id = 1 + next(2400)
  switch (next(5)) {
    case 0: return `INSERT INTO ${table} VALUES (${id}, 1, 'new') ON CONFLICT (id) DO UPDATE SET n = ${table}.n + 1`
    case 1: return `DELETE FROM ${table} WHERE id = ${id}`
    case 2: return `UPDATE ${table} SET id = ${3000 + next(100_000)}, n = n + 1 WHERE id = ${id}`
    default: return `UPDATE ${table} SET n = n + 1, note = 'note ${next(1000)}' WHERE id BETWEEN ${id} AND ${id + next(20)}`
  }
}

function numbers(seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fff_ffff
    return (state >>> 8) % below
  }
}
