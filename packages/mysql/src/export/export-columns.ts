import type { ColumnSchema } from '@tidemark/core/adapter'
import { toColumnSchemas } from '../column-schema.ts'
import type { RunOptions } from '../mysql-link.ts'
import type { Session } from '../open-session.ts'
import { catalogueFilter } from '../table-fingerprint.ts'

/** A column that holds data, with what its literals depend on. */
export interface ExportColumn {
  readonly schema: ColumnSchema
  /** `undefined`: bytes or no characters at all. */
  readonly charset: string | undefined
  readonly collation: string | undefined
  /** Longest value in bytes; `undefined` where the catalogue does not say. */
  readonly maxBytes: number | undefined
}

/** `DEFAULT_GENERATED` is a default that is an expression: such a column holds data of its own. */
const GENERATED = /\b(?:VIRTUAL|STORED|PERSISTENT)\b/u

/** Invisible columns are among them, generated ones are not. */
export async function readExportColumns(session: Session, table: string, options: RunOptions): Promise<readonly ExportColumn[]> {
  const filter = catalogueFilter({ schema: session.server.database, name: table })
  const rows = await session.link.rows(
    `SELECT column_name, column_type, is_nullable, character_set_name, collation_name, character_octet_length, extra FROM information_schema.columns WHERE ${filter} ORDER BY ordinal_position`, options,
  )
  const held = rows.filter((row) => !GENERATED.test(row[6] ?? ''))
  const schemas = toColumnSchemas(held.map(([name, sourceType, nullable]) => ({ name: name ?? '', sourceType: sourceType ?? '', nullable: nullable === 'YES' })))
  return schemas.map((schema, index) => {
    const [, , , charset, collation, bytes] = held[index] ?? []
    return { schema, charset: charset ?? undefined, collation: collation ?? undefined, maxBytes: bytes === null || bytes === undefined ? undefined : Number(bytes) }
  })
}
