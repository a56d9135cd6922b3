import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { verifyDump } from '@tidemark/core'
import { fsStorage } from '@tidemark/node'
import { expect, test } from 'vitest'
import { postgresSource } from '../postgres-source.ts'
import { useTestDatabase } from '../test/test-database.ts'
import { dump, loadWithPsql } from './test/dump.ts'

const database = await useTestDatabase('export_dir')
const copy = await useTestDatabase('export_dir_copy')

test('every object of a directory loads in a session of its own', async () => {
  await database.execute(`CREATE TABLE names (id int PRIMARY KEY, name text, at timestamptz); INSERT INTO names SELECT g, 'é' || repeat('漢', g % 50), '2026-03-29 01:30Z' FROM generate_series(1, 1000) g;
    CREATE VIEW dear AS SELECT 'für ' || name AS dear FROM names`)
  const { folder, id } = await dump(database.url, { layout: 'directory', partBytes: 10_000, maxStatementBytes: 5_000 })
  const manifest: unknown = JSON.parse(readFileSync(join(folder, id, 'manifest.json'), 'utf8'))
  const { objects } = manifest as { readonly objects: readonly { readonly path: string; readonly role: string }[] } // as its documentation says
  expect(objects.filter(({ role }) => role === 'rows').length).toBeGreaterThan(3)
  const other = new URL(copy.url)
  other.searchParams.set('client_encoding', 'LATIN1')
  for (const { path } of objects) await loadWithPsql(other.href, join(folder, id, path))
  await expect(verifyDump({ storage: fsStorage(folder), id, mode: 'deep', against: postgresSource({ url: copy.url }) })).resolves.toMatchObject({ ok: true, findings: [] })
})
