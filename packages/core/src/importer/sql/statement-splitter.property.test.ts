import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { SqlRules } from '../../dialect/sql-rules.ts'
import { StatementSplitter } from './statement-splitter.ts'

const rules: SqlRules = { quotes: { '\'': '\'', '"': '"', '`': '`', '[': ']' }, hasTriggerBodies: true }

interface Found {
  readonly sql: string
  readonly offset: number
}

function split(sql: string, cuts: readonly number[] = []): readonly Found[] {
  const bytes = new TextEncoder().encode(sql)
  const splitter = new StatementSplitter(rules)
  const decoder = new TextDecoder()
  const found: Found[] = []
  const note = ({ bytes: statement, offset }: { readonly bytes: Uint8Array; readonly offset: number }): void => void found.push({ sql: decoder.decode(statement), offset })
  const places = [...new Set(cuts.map((cut) => cut % (bytes.length + 1)))].sort((a, b) => a - b)
  let from = 0
  for (const place of [...places, bytes.length]) {
    // A copy, as a storage gives it: nothing may rely on what was pushed before.
    for (const statement of splitter.push(bytes.slice(from, place))) note(statement)
    from = place
  }
  for (const statement of splitter.end()) note(statement)
  return found
}

const texts = (sql: string): readonly string[] => split(sql).map((statement) => statement.sql)

describe('statements', () => {
  it.each([
    ['a semicolon in a text, a name or a comment', `SELECT ';', ";", [;], \`;\` -- ;\n; /* ; */ SELECT 2;`, [`SELECT ';', ";", [;], \`;\` -- ;\n`, 'SELECT 2']],
    ['a quote that is doubled', `SELECT 'it''s;';SELECT ''';';`, [`SELECT 'it''s;'`, `SELECT ''';'`]],
    ['a trigger\'s body', 'CREATE TRIGGER t AFTER INSERT ON a BEGIN SELECT 1; SELECT CASE 1 WHEN 2 THEN 3 END; END; SELECT 2;', ['CREATE TRIGGER t AFTER INSERT ON a BEGIN SELECT 1; SELECT CASE 1 WHEN 2 THEN 3 END; END', 'SELECT 2']],
    ['a temporary one, in any case, with comments', 'create/**/TEMPORARY -- x\n trigger "x;" begin select ";"; /* end; */ end -- done\n;select 3', ['create/**/TEMPORARY -- x\n trigger "x;" begin select ";"; /* end; */ end -- done\n', 'select 3']],
    ['a table whose name is Trigger', 'CREATE TABLE trigger (a); SELECT 1;', ['CREATE TABLE trigger (a)', 'SELECT 1']],
    ['an index, though END follows', 'CREATE INDEX i ON a (b);END;', ['CREATE INDEX i ON a (b)', 'END']],
    ['blanks, empty ones and comments', ' \n;; -- nothing\n ;/* ; */', []],
    ['operators that look like comments', 'SELECT 1 - -1, 4 / 2, 2*/* x */3;', ['SELECT 1 - -1, 4 / 2, 2*/* x */3']],
    ['what has no semicolon', 'SELECT 1; SELECT 2 -', ['SELECT 1', 'SELECT 2 -']],
    ['comments that are not closed', 'SELECT 1; /* SELECT 2;', ['SELECT 1']],
    ['other alphabets', `SELECT 'ж;日本', "ß;";`, [`SELECT 'ж;日本', "ß;"`]],
  ])('%s', (_, sql, expected) => {
    expect(texts(sql)).toEqual(expected)
  })

  it('begin at their first word', () => {
    expect(split('-- one\nSELECT 1; \n/* two */ SELECT 2;')).toEqual([{ sql: 'SELECT 1', offset: 7 }, { sql: 'SELECT 2', offset: 28 }])
  })
})

describe('however the bytes are cut', () => {
  const fragment = fc.constantFrom(
    'SELECT', 'CREATE', 'TEMP', 'TRIGGER', 'END', 'BEGIN', ';', ';', '\'', '\'\'', '"', '`', '[', ']', '--', '-', '/', '/*', '*/', '*', '\n', ' ', 'x', 'é', '日', '1', '(',
  )
  it('the statements are the same', () => {
    fc.assert(fc.property(fc.array(fragment, { maxLength: 60 }), fc.array(fc.nat(), { maxLength: 30 }), (fragments, cuts) => {
      const sql = fragments.join('')
      expect(split(sql, cuts)).toEqual(split(sql))
    }), { numRuns: 2_000 })
  })

  it('byte by byte, too', () => {
    const sql = 'CREATE TRIGGER t BEGIN SELECT \'é;\'; END; /**/ INSERT INTO "a;" VALUES (\'it\'\'s\'); -- end'
    expect(split(sql, Array.from({ length: 200 }, (_, index) => index))).toEqual(split(sql))
  })
})
