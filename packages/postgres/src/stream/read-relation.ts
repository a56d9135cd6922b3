import type { MessageReader } from './message-reader.ts'
import type { RelationColumn, RelationMessage } from './pgoutput-messages.ts'
import { undecodable } from './undecodable.ts'

const IDENTITIES = 'dnfi'
/** What a table may have at most. */
const MAX_COLUMNS = 1664

/** A Relation message behind its tag (manual, 55.9). */
export function readRelation(reader: MessageReader): RelationMessage {
  const id = reader.oid()
  // The schema `pg_catalog` is sent as nothing.
  const schema = reader.text() || 'pg_catalog'
  const table = reader.text()
  const identity = String.fromCharCode(reader.byte())
  if (!IDENTITIES.includes(identity)) throw undecodable('has a table with an unknown replica identity')
  const count = reader.int16()
  if (count > MAX_COLUMNS) throw undecodable('has a table with too many columns')
  const columns = Array.from({ length: count }, () => readColumn(reader))
  reader.close()
  return { id, schema, table, identity, columns }
}

function readColumn(reader: MessageReader): RelationColumn {
  const flags = reader.byte()
  if (flags > 1) throw undecodable('has a column with unknown flags')
  const name = reader.text()
  return { name, typeOid: reader.oid(), typeModifier: reader.int32(), isIdentity: flags === 1 }
}
