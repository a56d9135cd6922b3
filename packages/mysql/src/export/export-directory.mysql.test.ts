import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Exporter, verifyDump } from '@tidemark/core'
import { memoryStateStore } from '@tidemark/core/testing'
import { fsStorage } from '@tidemark/node'
import { expect, onTestFinished, test } from 'vitest'
import { mysqlSource } from '../mysql-source.ts'
import { openTestDatabase } from '../test/test-database.ts'
import { loadWithShell } from './test/dump.ts'

const OTHER_SESSION = ['--default-character-set=latin1', '--init-command=SET time_zone = \'+05:00\', sql_mode = \'STRICT_ALL_TABLES\'']

/** Values that come otherwise in a session of another time zone, SQL mode or character set, and ones that take several statements. */
const FILL = `CREATE TABLE item (id INT AUTO_INCREMENT PRIMARY KEY, note LONGTEXT CHARACTER SET utf8mb4, raw LONGBLOB, at TIMESTAMP(6) NULL, day DATE) ENGINE = InnoDB;
  SET sql_mode = 'NO_AUTO_VALUE_ON_ZERO,ALLOW_INVALID_DATES';
  INSERT INTO item VALUES (0, 'zero 漢', NULL, '2026-01-02 03:04:05.000006', '0000-00-00'), (1, 'ä', NULL, NULL, '2023-02-31');
  INSERT INTO item VALUES (5, REPEAT('long ''é\\\\\\\\ ', 4000), REPEAT(X'00FF27', 9000), '2026-03-29 02:30:00', NULL);
  CREATE TABLE bare (id INT) ENGINE = InnoDB;
  CREATE VIEW dear AS SELECT id, 'für' AS f FROM item`

test('every object of a directory loads in a session of its own', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'tidemark-directory-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  await using database = await openTestDatabase()
  await database.writer.query(FILL)
  for (let i = 0; i < 40; i++) await database.writer.query('INSERT INTO item (note, raw, at) SELECT CONCAT(?, note), raw, at FROM item WHERE id = ?', [String(i), i % 7 === 0 ? 5 : 0])
  const storage = fsStorage(folder)
  await using exporter = new Exporter({ source: mysqlSource({ url: database.url }), storage, state: memoryStateStore() })
  const { id } = await exporter.start({ layout: 'directory', maxStatementBytes: 4_000, partBytes: 20_000 })
  await exporter.finish(id)
  const manifest: unknown = JSON.parse(readFileSync(join(folder, id, 'manifest.json'), 'utf8'))
  const { objects } = manifest as { readonly objects: readonly { readonly path: string; readonly role: string; readonly table?: number }[] } // as its documentation says
  expect(objects.filter(({ role }) => role === 'rows').length).toBeGreaterThan(3)
  await using copy = await openTestDatabase()
  for (const { path } of objects) await loadWithShell(copy.url, copy.name, readFileSync(join(folder, id, path)), OTHER_SESSION)
  await expect(verifyDump({ storage, id, mode: 'deep', against: mysqlSource({ url: copy.url }) })).resolves.toMatchObject({ ok: true, findings: [] })
})
