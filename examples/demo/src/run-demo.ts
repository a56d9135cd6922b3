import { setTimeout as sleep } from 'node:timers/promises'
import postgres from 'postgres'
import { cityRows } from './city-row.ts'
import { compareCells, type Comparison } from './compare-cells.ts'
import type { DemoOptions } from './options.ts'
import { seededRandom } from './random.ts'
import { Replica, type LoadFigures } from './replica.ts'
import { count, type Reporter } from './reporter.ts'
import { createSource } from './source-table.ts'
import { Writer, type WrittenRows } from './writer.ts'

export interface DemoContext {
  readonly options: DemoOptions
  /** An empty PostgreSQL database. */
  readonly url: string
  /** The SQLite file to make. */
  readonly path: string
  readonly reporter: Reporter
}

export interface DemoFigures {
  readonly load: LoadFigures
  readonly written: WrittenRows
  readonly followed: { readonly polls: number; readonly rows: number }
  readonly healedRows: number
  readonly comparison: Comparison
}

/** Cities that are not in the table at first: the writer's supply of new ones. */
const RESERVE_ROWS = 10_000
const TICK_MS = 100

/** Loads the source, copies it while it is being written to, and compares. */
export async function runDemo(context: DemoContext): Promise<DemoFigures> {
  const { url, reporter } = context
  const sql = postgres(url, { max: 1, onnotice: () => {} })
  try {
    const rows = cityRows()
    const present = rows.slice(RESERVE_ROWS)
    reporter.line(`Loading ${count(present.length)} cities of the GeoNames gazetteer into PostgreSQL`)
    await createSource(sql, present)
    const writer = new Writer({ url, random: seededRandom(context.options.seed), present, reserve: rows.slice(0, RESERVE_ROWS) })
    try {
      return await replicate(context, { sql, writer, presentRows: present.length })
    } finally {
      await writer[Symbol.asyncDispose]()
    }
  } finally {
    await sql.end({ timeout: 5 })
  }
}

interface Scene {
  readonly sql: postgres.Sql
  readonly writer: Writer
  readonly presentRows: number
}

async function replicate(context: DemoContext, scene: Scene): Promise<DemoFigures> {
  const { url, path, reporter, options } = context
  const { sql, writer, presentRows } = scene
  const replica = new Replica({ url, path, reporter, expectedRows: presentRows })
  try {
    reporter.line(`Copying into SQLite, while two connections go on writing (seed ${options.seed})`)
    writer.start()
    const load = await replica.load()
    reporter.line(`First copy in place after ${(load.durationMs / 1_000).toFixed(1)} s; following the writer for ${options.writeMs / 1_000} s`)
    await follow(context, writer)
    const written = await writer.stop()
    const followed = replica.followed
    reporter.line('Writer stopped; last sync, then the reconcile that finds deleted rows')
    const healedRows = await replica.catchUp()
    reporter.line('Comparing every cell of the copy with the source')
    const comparison = await compareCells({ sql, path, reporter, expectedRows: presentRows })
    return { load, written, followed, healedRows, comparison }
  } finally {
    await replica[Symbol.asyncDispose]()
  }
}

async function follow({ reporter, options }: DemoContext, writer: Writer): Promise<void> {
  const endMs = performance.now() + options.writeMs
  while (performance.now() < endMs) {
    await sleep(TICK_MS)
    const { inserted, updated, deleted } = writer.written
    reporter.progress({ label: 'rows written meanwhile', done: inserted + updated + deleted })
  }
}
