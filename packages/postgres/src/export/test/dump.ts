import { execFile } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { Exporter, type ExportRequest, type ExportStatus } from '@tidemark/core'
import { memoryStateStore } from '@tidemark/core/testing'
import { fsStorage } from '@tidemark/node'
import { onTestFinished } from 'vitest'
import { postgresSource } from '../../postgres-source.ts'

const run = promisify(execFile)

export interface Dump {
  readonly id: string
  readonly folder: string
  readonly status: ExportStatus
  /** Path of the dump of layout `single`. */
  readonly file: string
  readonly sql: string
}

/** Exports a database into a folder that goes with the test. */
export async function dump(url: string, request: ExportRequest = {}): Promise<Dump> {
  const folder = mkdtempSync(join(tmpdir(), 'tidemark-pg-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  await using exporter = new Exporter({ source: postgresSource({ url }), storage: fsStorage(folder), state: memoryStateStore() })
  const { id } = await exporter.start({ fileName: 'dump', ...request })
  const status = await exporter.finish(id)
  const file = join(folder, status.key ?? '')
  return { id, folder, status, file, sql: request.layout === 'directory' || (request.format ?? 'sql') !== 'sql' ? '' : readFileSync(file, 'utf8') }
}

/** Loads it as people do; stops at the first error. */
export async function loadWithPsql(url: string, file: string): Promise<void> {
  await run('psql', ['--no-psqlrc', '--quiet', '--set=ON_ERROR_STOP=1', '--file', file, url], { maxBuffer: 2 ** 28 })
}

/** What the server's own tool says that a database is, without what it says of itself. */
export async function pgDump(url: string, ...options: string[]): Promise<string> {
  const { stdout } = await run('pg_dump', ['--no-owner', '--no-privileges', ...options, url], { maxBuffer: 2 ** 28 })
  return stdout.split('\n').filter((line) => !/^(--|\\(un)?restrict |SET |SELECT pg_catalog\.set_config|$)/.test(line)).join('\n')
}
