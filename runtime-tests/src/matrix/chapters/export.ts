import { Exporter, type ExportRequest, type ExportSource } from '@tidemark/core'
import { parquetFormat } from '@tidemark/parquet'
import { postgresSource } from '@tidemark/postgres'
import { tell } from '../tell.ts'
import type { StoryHost } from '../story-host.ts'
import type { Told, ToldParts } from '../told.ts'

export interface ToldExports {
  readonly told: ToldParts
  /** Ids of the dumps of `app`. */
  readonly dumps: { readonly sql: string; readonly parquet: string }
}

/** Dumps into the runtime's storage, and reads them back to verify them. */
export async function exportDumps(host: StoryHost): Promise<ToldExports> {
  const app = host.database('app').dumpable()
  const sql = await dump(host, app, {})
  const parquet = await dump(host, app, { format: 'parquet', layout: 'directory' })
  const postgres = await dump(host, postgresSource({ url: host.postgres.url, tls: 'disable' }), { format: 'ndjson', layout: 'directory', compression: 'gzip' })
  return { told: { 'SQL': sql.told, 'Parquet': parquet.told, 'PostgreSQL as NDJSON': postgres.told }, dumps: { sql: sql.id, parquet: parquet.id } }
}

async function dump(host: StoryHost, source: ExportSource, request: ExportRequest): Promise<{ readonly told: Told; readonly id: string }> {
  let started = ''
  const told = await tell(async () => {
    await using state = host.database('app').state()
    await using exporter = new Exporter({ source, storage: host.storage, state, formats: [parquetFormat()] })
    const { id } = await exporter.start({ ...request, tables: ['cells'] })
    started = id
    const { status, totalRowsExported } = await exporter.finish(id)
    const { ok, findings } = await exporter.verify(id)
    return { status, rows: totalRowsExported, ok, findings }
  })
  return { told, id: started }
}
