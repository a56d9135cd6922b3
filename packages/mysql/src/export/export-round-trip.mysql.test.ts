import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { mysqlSource } from '../mysql-source.ts'
import { openTestDatabase, type TestDatabase } from '../test/test-database.ts'
import { ALL, dump, loadWithShell } from './test/dump.ts'

let database: TestDatabase
let copy: TestDatabase

beforeAll(async () => {
  database = await openTestDatabase()
  copy = await openTestDatabase()
})

afterAll(async () => {
  await database[Symbol.asyncDispose]()
  await copy[Symbol.asyncDispose]()
})

async function rows(of: TestDatabase, sql: string): Promise<readonly (readonly unknown[])[]> {
  const [found] = await of.writer.query({ sql, rowsAsArray: true })
  // A SELECT gives rows.
  return found as (readonly unknown[])[]
}

/** Every cell in hexadecimal digits, floats in all their digits, and every definition. */
async function everything(of: TestDatabase): Promise<unknown> {
  const result: Record<string, unknown> = {}
  const columns = await rows(of, `SELECT table_name, column_name, data_type FROM information_schema.columns WHERE table_schema = '${of.name}' ORDER BY 1, ordinal_position`)
  for (const [table, kind] of await rows(of, `SELECT table_name, table_type FROM information_schema.tables WHERE table_schema = '${of.name}' ORDER BY 1`)) {
    const name = `\`${String(table).replaceAll('`', '``')}\``
    const [created] = await rows(of, `SHOW CREATE TABLE ${name}`)
    result[`definition of ${String(table)}`] = String(created?.[1]).replace(/DEFINER=\S+ /u, '')
    if (kind === 'VIEW') continue
    const cells = columns.filter(([owner]) => owner === table).map(([, column, type]) => {
      const cell = `\`${String(column).replaceAll('`', '``')}\``
      return type === 'float' || type === 'double' ? `CONCAT(${cell} * 1e0)` : ['enum', 'set', 'bit'].includes(String(type)) ? `CONCAT(${cell} + 0, ':', HEX(${cell}))` : `HEX(${cell})`
    })
    const found = await rows(of, `SELECT CONCAT_WS('|', ${cells.map((cell) => `COALESCE(${cell}, 'NULL')`).join(', ')}) FROM ${name}`)
    result[String(table)] = found.map(([row]) => String(row)).sort()
  }
  const programs = async (sql: string): Promise<unknown> => await rows(of, sql)
  result['triggers'] = await programs(`SELECT trigger_name, event_object_table, action_timing, event_manipulation, action_statement, sql_mode FROM information_schema.triggers WHERE trigger_schema = '${of.name}' ORDER BY 1`)
  result['routines'] = await programs(`SELECT routine_name, routine_type, routine_definition, sql_mode, collation_connection FROM information_schema.routines WHERE routine_schema = '${of.name}' ORDER BY 1`)
  result['events'] = await programs(`SELECT event_name, event_definition, interval_value, interval_field, status, sql_mode, time_zone FROM information_schema.events WHERE event_schema = '${of.name}' ORDER BY 1`)
  return result
}

const HOSTILE_TEXTS = ['', ' ', '\'', '\'\'', '\\', '\\\'', '"', '`', 'a\0b', 'a\r\nb', 'a\nb', '\u001a', '%_', 'NULL', '-- x', '/* x */', ';', '\nDELIMITER //\n', '\\g', 'ä€𝄞', 'trailing  ', 'X\'41\'']

async function fill(of: TestDatabase): Promise<void> {
  const { writer, isMariaDb } = of
  const run = async (sql: string, values: readonly unknown[] = []): Promise<void> => void await writer.query(sql, [...values])
  await run('SET sql_mode = \'ALLOW_INVALID_DATES\'')
  await run('CREATE TABLE texts (id INT AUTO_INCREMENT PRIMARY KEY, m VARCHAR(200), l VARCHAR(300) CHARACTER SET latin1, a VARCHAR(50) CHARACTER SET ascii, u TEXT CHARACTER SET ucs2, k CHAR(20) CHARACTER SET koi8r, b VARBINARY(300), f BINARY(5), t LONGTEXT, z LONGBLOB) CHARACTER SET utf8mb4')
  for (const text of HOSTILE_TEXTS) await run('INSERT INTO texts (m, l, a, u, k, b, f, t, z) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)', [text, text, text, text, text, Buffer.from(text), Buffer.from(text).subarray(0, 5), text, Buffer.from(text)])
  const all = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte))
  await run('INSERT INTO texts (l, b, z) VALUES (CONVERT(? USING latin1), ?, ?)', [all, all, all])
  await run('INSERT INTO texts (m) VALUES (NULL)')
  await run('INSERT INTO texts (t, z) VALUES (?, ?)', ['long \'ä€𝄞\\ '.repeat(40_000), randomBytes(400_000)])
  await run('CREATE TABLE numbers (a BIGINT, b BIGINT UNSIGNED, c DECIMAL(65,30), d DOUBLE, e FLOAT, f DOUBLE(10,2), g FLOAT(7,4), h BIT(1), i BIT(64), j BIT(9), k YEAR, l INT(8) ZEROFILL, m BOOLEAN)')
  await run('INSERT INTO numbers VALUES (-9223372036854775808, 18446744073709551615, -12345678901234567890123456789012345.123456789012345678901234567891, 1.7976931348623157e308, 3.4028234e38, 1.25, 123.4567, b\'1\', b\'1111111111111111111111111111111111111111111111111111111111111111\', b\'100000001\', 2155, 42, 1)')
  await run('INSERT INTO numbers VALUES (9223372036854775807, 0, 0, -0e0, 0.1, -1.5, 0.0001, b\'0\', b\'0\', b\'0\', 1901, 0, 0), (0, 1, 1, 5e-324, 1.17549435e-38, 0, 0, 0, 1, 2, 0, 1, 127)')
  await run('INSERT INTO numbers (d, e) VALUES (0.1, 16777217), (2.2250738585072014e-308, -0e0), (1e22, 1e10), (123456789012345680, 0.3)')
  await run('INSERT INTO numbers VALUES ()')
  await run('CREATE TABLE times (id INT NOT NULL UNIQUE, a DATE, b DATETIME(6), c TIMESTAMP(6) NULL, d TIME(6), e DATETIME)')
  await run('INSERT INTO times VALUES (1, \'0000-00-00\', \'0000-00-00 00:00:00\', \'0000-00-00 00:00:00\', \'-838:59:59\', \'2023-02-31 00:00:00\'), (2, \'9999-12-31\', \'9999-12-31 23:59:59.999999\', \'2038-01-19 03:14:07.999999\', \'838:59:59\', \'1000-01-01\'), (3, \'2023-00-10\', NULL, \'1970-01-01 00:00:01\', \'00:00:00.000001\', \'2024-03-31 02:30:00\'), (0, NULL, NULL, NULL, NULL, NULL)')
  await run('CREATE TABLE picks (e ENUM(\'a\', \'\', \'it\'\'s\', \'ä\', \'1\', \'0\'), s SET(\'x\', \'y\\\\z\', \'ü\'), n INT, KEY (n))')
  await run('INSERT INTO picks VALUES (\'a\', \'x,ü\', 1), (\'\', \'\', 1), (0, 0, 2), (\'it\'\'s\', \'y\\\\z\', 2), (\'1\', 7, 3), (\'0\', NULL, 3), (NULL, 1, 3), (\'nonsense\', \'\', 4)')
  await run(`CREATE TABLE shapes (id INT PRIMARY KEY, g GEOMETRY, p POINT NOT NULL) ENGINE = InnoDB`)
  await run('INSERT INTO shapes VALUES (1, GeomFromText(\'POLYGON((0 0,10 0,10 10,0 10,0 0))\', 4326), POINT(1.1, -2.2)), (2, NULL, POINT(0, 0))')
  await run('CREATE TABLE `odd ``name\'s "x";\n-- y` (`a``b` INT, `c\'d` TEXT, `select` INT, PRIMARY KEY (`select`, `a``b`)) COMMENT \'it\'\'s AUTO_INCREMENT=5\'')
  await run('INSERT INTO `odd ``name\'s "x";\n-- y` VALUES (1, \'x\', 2), (2, \'y\', 1)')
  await run('CREATE TABLE parent (id INT AUTO_INCREMENT PRIMARY KEY, name VARCHAR(20) COLLATE utf8mb4_bin, UNIQUE (name)) AUTO_INCREMENT = 500')
  await run('CREATE TABLE child (a CHAR(10) CHARACTER SET koi8r NOT NULL, b ENUM(\'z\', \'y\') NOT NULL, parent INT, PRIMARY KEY (a, b), CONSTRAINT fk FOREIGN KEY (parent) REFERENCES parent (id) ON DELETE CASCADE)')
  await run('SET SESSION sql_mode = \'NO_AUTO_VALUE_ON_ZERO\'')
  await run('INSERT INTO parent VALUES (0, \'zero\'), (1, \'A\'), (2, \'a\')')
  await run('INSERT INTO child VALUES (\'ж\', \'y\', 0), (\'ж\', \'z\', 1), (\'a\', \'y\', NULL)')
  await run('CREATE TABLE parts (id INT NOT NULL, y INT NOT NULL, PRIMARY KEY (id, y)) PARTITION BY RANGE (y) (PARTITION p0 VALUES LESS THAN (10), PARTITION p1 VALUES LESS THAN MAXVALUE)')
  await run('INSERT INTO parts VALUES (1, 5), (2, 50), (1, 50)')
  await run('CREATE TABLE bare (x INT, y TEXT)')
  await run('INSERT INTO bare VALUES (3, \'c\'), (1, \'a\'), (1, \'a\'), (NULL, NULL)')
  await run('CREATE TABLE empty_one (x INT)')
  await run('CREATE VIEW a_view AS SELECT * FROM z_view')
  await run('CREATE VIEW z_view_base AS SELECT id, name FROM parent WHERE name <> \'it\\\'s\'').catch(() => undefined)
  if (isMariaDb) {
    await run('CREATE TABLE all_generated (a INT AS (1 + 1) STORED, b VARCHAR(9) AS (\'it\') VIRTUAL)')
    await run('INSERT INTO all_generated () VALUES (), (), ()')
    await run('CREATE TABLE generated_one (a INT, b INT AS (a * 2) VIRTUAL, c INT AS (a + 1) STORED, d INT INVISIBLE DEFAULT 7)')
    await run('INSERT INTO generated_one (a, d) VALUES (1, 9), (2, 8)')
    await run('CREATE SEQUENCE counter START WITH 5 INCREMENT BY 3')
    await run('SELECT NEXTVAL(counter)')
    await run('CREATE TABLE kinds (id UUID PRIMARY KEY, i INET6, j JSON)')
    await run('INSERT INTO kinds VALUES (\'123e4567-e89b-12d3-a456-426655440000\', \'2001:db8::ff00:42:8329\', \'{"a": 1.0, "b": "it\\\'s"}\')')
    await run('CREATE TABLE versioned (x INT) WITH SYSTEM VERSIONING')
    await run('INSERT INTO versioned VALUES (1)')
    await run('UPDATE versioned SET x = 2')
  }
}

async function program(of: TestDatabase): Promise<void> {
  const { writer } = of
  for (const sql of [
    'SET sql_mode = \'ANSI_QUOTES,STRICT_ALL_TABLES\'',
    'CREATE TABLE log (id INT PRIMARY KEY AUTO_INCREMENT, what TEXT)',
    'CREATE TRIGGER parent_ai AFTER INSERT ON parent FOR EACH ROW BEGIN INSERT INTO log (what) VALUES (CONCAT(\';; it\'\'s \', NEW."id")); SET @x = 1; END',
    'CREATE PROCEDURE add_one(INOUT n INT) BEGIN IF n > 0 THEN SET n = n + 1; END IF; END',
    'CREATE FUNCTION twice(n INT) RETURNS INT DETERMINISTIC RETURN n * 2',
    'CREATE EVENT nightly ON SCHEDULE EVERY 1 DAY DISABLE DO BEGIN DELETE FROM log; DELETE FROM log; END',
    'CREATE VIEW with_function AS SELECT twice(id) AS t FROM parent',
    'SET sql_mode = \'\'',
  ]) await writer.query(sql)
}

test('a hostile schema comes back through the shell, every cell and every definition', async () => {
  await database.writer.query('CREATE TABLE z_table (id INT PRIMARY KEY, v TEXT)')
  await database.writer.query('CREATE VIEW z_view AS SELECT id FROM z_table')
  await fill(database)
  await program(database)
  await using connection = await mysqlSource({ url: database.url }).connectExport()
  const { sql, view } = await dump(connection)
  const longest = Math.max(...sql.toString('latin1').split(';\n').map((statement) => statement.length))
  expect(longest).toBeLessThanOrEqual(100_000)
  await loadWithShell(copy.url, copy.name, sql)
  expect(await everything(copy)).toEqual(await everything(database))
  expect(view.plan.notes).toContainEqual(expect.stringContaining('Definers are not kept'))
  // What was loaded gives the same dump again.
  await using again = await mysqlSource({ url: copy.url }).connectExport()
  expect((await dump(again)).sql.equals(sql)).toBe(true)
})

test('how much is asked for at a time decides nothing', async () => {
  await using connection = await mysqlSource({ url: database.url }).connectExport()
  const { sql } = await dump(connection, { selection: { ...ALL, exclude: [] }, render: { maxStatementBytes: 3000 } })
  for (const bytes of [1, 500, 1 << 22]) {
    const other = await dump(connection, { render: { maxStatementBytes: 3000 }, bytes: () => bytes })
    expect(other.sql.equals(sql)).toBe(true)
  }
})
