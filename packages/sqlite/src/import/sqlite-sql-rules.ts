import type { SqlRules } from '@tidemark/core/adapter'

/** sqlite.org, "SQL Language Expressions" and "SQLite Keywords": also the quotes of MySQL and of SQL Server stand for names. */
export const sqliteSqlRules: SqlRules = { quotes: { '\'': '\'', '"': '"', '`': '`', '[': ']' }, hasTriggerBodies: true }
