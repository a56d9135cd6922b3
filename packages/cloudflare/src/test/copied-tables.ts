import { Replicator } from '@tidemark/core'
import { codeOf, type ScenarioHost } from './scenario-host.ts'

/** With the tracking column and the key, as many columns as a table may have there. */
const WIDE = Array.from({ length: 98 }, (_, index) => `c${index}`)
const PAIRS = 300

/** Copies tables of a database into the same one, and says how many rows of each copy there are, and how many are not as at the source; and what a view is told by. */
export async function copiedTables({ source, target, run, rows }: ScenarioHost): Promise<unknown> {
  await run(
    'CREATE TABLE odd (id INTEGER PRIMARY KEY, changed INTEGER NOT NULL, v, n INT, r REAL, s TEXT)',
    `INSERT INTO odd VALUES (1, 9007199254740993, 1, 9007199254740993, 9e999, 'x'), (2, 9007199254740994, 1.0, -9223372036854775808, -9e999, 'a' || char(0) || 'b'),
      (3, 9223372036854775806, char(1) || 't', 0, -0.5, char(1)), (4, 9223372036854775807, x'01ff00', NULL, 1, char(65533))`,
    `CREATE TABLE wide (id INTEGER PRIMARY KEY, changed INTEGER NOT NULL, ${WIDE.join(', ')})`, 'INSERT INTO wide (id, changed, c0, c97) VALUES (1, 1, 7, \'last\')',
    'CREATE TABLE pairs (a TEXT, b INTEGER, changed INTEGER NOT NULL, PRIMARY KEY (a, b)) WITHOUT ROWID',
    `WITH RECURSIVE i(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM i WHERE n < ${PAIRS}) INSERT INTO pairs SELECT 'p' || (n % 7), n, n FROM i`,
    'CREATE TABLE bad (id INTEGER PRIMARY KEY, changed INTEGER NOT NULL, s TEXT)', 'INSERT INTO bad VALUES (1, 1, CAST(x\'41ff\' AS TEXT))',
  )
  const tables = ['odd', 'wide', 'pairs']
  await using replicator = new Replicator({
    target: target(), slice: { rows: 50 },
    replications: [...tables, 'bad'].map((table) => ({ name: table, source: source(), sourceTable: table, targetTable: `${table}_copy`, trackingColumn: 'changed', settleGraceMs: 0 })),
  })
  for (const table of tables) await replicator.syncNow(table)
  const first = await differences(rows)
  await run('UPDATE odd SET v = 2.5 WHERE id = 1', `DELETE FROM pairs WHERE b % 3 = 0`, 'UPDATE odd SET v = 3 WHERE id = 4')
  for (const table of tables) await replicator.reconcile(table)
  return { first, second: await differences(rows), bad: await codeOf(replicator.syncNow('bad')), view: await viewVersions({ source, run }) }
}

async function differences(rows: ScenarioHost['rows']): Promise<readonly unknown[]> {
  // The copy has an infinity as the text that it has everywhere.
  const odd = (table: string, r: string): string => `SELECT id, changed, v, typeof(v), hex(v), n, ${r}, hex(s) FROM ${table}`
  const source = odd('odd', `CASE abs(r) WHEN 9e999 THEN iif(r > 0, 'Infinity', '-Infinity') ELSE r END`)
  const counts = async (from: string, copy: string): Promise<unknown> =>
    (await rows(`SELECT (SELECT count(*) FROM (${copy})), (SELECT count(*) FROM (${from} EXCEPT ${copy})), (SELECT count(*) FROM (${copy} EXCEPT ${from}))`))[0]
  return [await counts(source, odd('odd_copy', 'r')), await counts('SELECT id, c0, c97 FROM wide', 'SELECT id, c0, c97 FROM wide_copy'), await counts('SELECT a, b, changed FROM pairs', 'SELECT a, b, changed FROM pairs_copy')]
}

/** Whether the version of a view is another one after a table that it is of has changed, and the same while nothing has. */
async function viewVersions({ source, run }: Pick<ScenarioHost, 'source' | 'run'>): Promise<readonly boolean[]> {
  await run('CREATE VIEW seen AS SELECT * FROM bad')
  await using connection = await source().connect()
  const version = async (): Promise<string> => (await connection.describeTable({ schema: undefined, name: 'seen' })).version
  const [before, same] = [await version(), await version()]
  await run('ALTER TABLE bad ADD COLUMN more')
  return [before === same, before === await version()]
}
