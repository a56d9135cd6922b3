import { Importer } from '@tidemark/core'
import { parquetFormat } from '@tidemark/parquet'
import { cellsOf } from '../cells.ts'
import { tell } from '../tell.ts'
import type { StoryDatabase, StoryHost } from '../story-host.ts'
import type { ToldParts } from '../told.ts'

/** What was exported, in databases that are empty before. */
export async function restore(host: StoryHost, { sql, parquet }: { readonly sql: string; readonly parquet: string }): Promise<ToldParts> {
  return {
    SQL: await tell(() => load(host, host.database('restored'), sql)),
    Parquet: await tell(() => load(host, host.database('restoredRows'), parquet)),
  }
}

async function load({ storage }: StoryHost, database: StoryDatabase, exportId: string): Promise<readonly unknown[]> {
  await new Importer({ source: storage, target: database.dumpable(), formats: [parquetFormat()] }).load(exportId)
  return cellsOf(database)
}
