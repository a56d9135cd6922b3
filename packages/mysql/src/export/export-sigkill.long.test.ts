import { randomInt } from 'node:crypto'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { verifyDump } from '@tidemark/core'
import { fsStorage } from '@tidemark/node'
import { runWorker } from '@tidemark/test-servers/run-worker'
import { expect, onTestFinished, test } from 'vitest'
import { mysqlSource } from '../mysql-source.ts'
import { openTestDatabase } from '../test/test-database.ts'
import { ACCOUNTS, checksum, generator, makeBank, transfer } from './test/bank.ts'
import { loadWithShell } from './test/dump.ts'

const WORKER = fileURLToPath(new URL('test/export-worker.ts', import.meta.url))
const KILLS = 150
/** A copy begins anew with each life, and after five of them the export is given up. */
const KILLS_EACH = 4
const SEED = Number(process.env['TIDEMARK_SEED'] ?? randomInt(1 << 30))

test(`exports the bank at one instant, through ${KILLS} kills and with transfers all the time`, { timeout: 1_800_000 }, async () => {
  process.stdout.write(`export kills: TIDEMARK_SEED=${SEED}\n`)
  const random = generator(SEED)
  const folder = mkdtempSync(join(tmpdir(), 'tidemark-sigkill-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  await using database = await openTestDatabase()
  await makeBank(database.writer)
  await database.writer.query(`CREATE TABLE filling (id INT AUTO_INCREMENT PRIMARY KEY, v TEXT) ENGINE = InnoDB; INSERT INTO filling (v) VALUES ('${'x'.repeat(500)}')`)
  for (let doubled = 0; doubled < 11; doubled++) await database.writer.query('INSERT INTO filling (v) SELECT v FROM filling')
  let [kills, dumps] = [0, 0]
  while (kills < KILLS) {
    let id = ''
    for (let lives = 0, isOver = false; !isOver; lives += 1) {
      const killAfter = lives < KILLS_EACH ? 1 + random(9) : Number.POSITIVE_INFINITY
      const life = await runWorker({ file: WORKER, args: [database.url, join(folder, 'dumps'), join(folder, 'state.db'), id], killAfter, onLine: () => transfer(database.writer, random) })
      id ||= life.id
      isOver = !life.wasKilled
      if (life.wasKilled) kills += 1
    }
    await using copy = await openTestDatabase()
    await loadWithShell(copy.url, copy.name, readFileSync(join(folder, 'dumps', id, 'dump.sql')))
    expect(await checksum(copy)).toEqual([[ACCOUNTS * 100, ACCOUNTS * 100, 0, 0]])
    await expect(verifyDump({ storage: fsStorage(join(folder, 'dumps')), id, mode: 'deep', against: mysqlSource({ url: copy.url }) })).resolves.toMatchObject({ ok: true, findings: [] })
    // Of every copy that was given up nothing is left.
    expect(readdirSync(join(folder, 'dumps', id)).toSorted()).toEqual(['dump.sql', 'manifest.json'])
    dumps += 1
  }
  process.stdout.write(`export kills: ${kills} kills, ${dumps} dumps\n`)
})
