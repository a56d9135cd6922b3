import { sha256Hex } from '@tidemark/core/adapter'
import { mapPlaceholders } from '../map-placeholders.ts'
import { quote } from '../quote.ts'
import { cellSql } from './cell-json.ts'

/** A statement that the instance knows, as a trigger on a view: writing its name and its values to the view runs it. */
export interface BatchProgram {
  readonly name: string
  /** Makes the trigger. */
  readonly sql: string
}

/** Names of what is made on the instance. */
export interface BatchNames {
  readonly prefix: string
  readonly view: string
  /** Batches that are too large for one value, in pieces. */
  readonly pieces: string
}

export function batchNames(prefix: string): BatchNames {
  return { prefix: `${prefix}batch`, view: quote(`${prefix}batch`), pieces: quote(`${prefix}batch_pieces`) }
}

const QUALIFIED = /'(?:[^']|'')*'|"(?:[^"]|"")*"|\bmain\.(?=")/g

/** Its name tells the text, so that one which exists is the right one. */
export async function batchProgram(statement: string, { prefix, view }: BatchNames): Promise<BatchProgram> {
  const digest = await sha256Hex(new TextEncoder().encode(statement))
  const name = `${prefix}_${digest.slice(0, 32)}`
  // Inside of a trigger names are those of its own schema, and must not say so.
  const unqualified = statement.replace(QUALIFIED, (token) => (token === 'main.' ? '' : token))
  const body = mapPlaceholders(unqualified, (index) => cellSql('NEW.cells', `$[${index}]`))
  return { name, sql: `CREATE TRIGGER IF NOT EXISTS ${quote(name)} INSTEAD OF INSERT ON ${view} WHEN NEW.program = '${name}' BEGIN ${body}; END` }
}

export function createBatchTables({ view, pieces }: BatchNames): readonly string[] {
  return [
    `CREATE TABLE IF NOT EXISTS ${pieces} (batch TEXT, number INTEGER, at INTEGER NOT NULL, entries TEXT NOT NULL, PRIMARY KEY (batch, number))`,
    `CREATE VIEW IF NOT EXISTS ${view} (program, cells) AS SELECT NULL, NULL`,
  ]
}
