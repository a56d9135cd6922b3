import type { SqliteOracle } from '@tidemark/conformance'

/** What a release of years from now would have left behind. */
export async function raiseStateVersion(oracle: SqliteOracle, tablePrefix: string): Promise<void> {
  await oracle.query(`update "${tablePrefix}meta" set value = '999' where key = 'schema_version'`)
}
