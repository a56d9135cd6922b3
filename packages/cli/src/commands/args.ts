import type { ArgsDef } from 'citty'

/** Options that several commands share. Nothing is `required` here: citty would stop at the first that is missing. */
export const tlsArgs = {
  tls: { type: 'string', valueHint: 'verify|disable|insecure-no-verify', description: 'TLS to the source (default: verify, except on this machine)' },
  ca: { type: 'string', valueHint: 'file', description: 'PEM file of the authority to verify the source with' },
} as const satisfies ArgsDef

export const sourceArgs = {
  from: { type: 'string', valueHint: 'url', description: 'Source: postgres://, mysql://, or env:NAME (default env:TIDEMARK_SOURCE_URL)' },
  ...tlsArgs,
} as const satisfies ArgsDef

export const tableArgs = {
  table: { type: 'string', valueHint: 'name[=copy]', description: 'Table to copy, and its name in the target; repeatable' },
  tracking: { type: 'string', valueHint: '[table:]column', description: 'Column that grows with every change (default id); repeatable' },
  mode: { type: 'string', valueHint: 'incremental|full', description: 'full copies the whole table each time (default incremental)' },
  key: { type: 'string', valueHint: '[table:]a,b', description: 'Columns that identify a row, where there is no primary key; repeatable' },
  columns: { type: 'string', valueHint: '[table:]a,b', description: 'Copy only these columns and the key; repeatable' },
  'null-tracking': { type: 'string', valueHint: 'error|include|exclude', description: 'Rows without a tracking value (default error)' },
  'on-schema-change': { type: 'string', valueHint: 'follow|stop|rebuild', description: 'When a column is dropped, renamed or retyped (default stop)' },
} as const satisfies ArgsDef

export const targetArgs = {
  to: { type: 'string', valueHint: 'file|url', description: 'Target: a SQLite file, sqlite:path, libsql://, http(s)://' },
  'to-token': { type: 'string', valueHint: 'env:NAME', description: 'Token of a libSQL server (default env:TIDEMARK_TARGET_TOKEN)' },
  prefix: { type: 'string', valueHint: 'name_', description: "Prefix of Tidemark's own tables in the target (default tidemark_)" },
} as const satisfies ArgsDef

export const outputArgs = {
  json: { type: 'boolean', description: 'One JSON object per line on stdout' },
} as const satisfies ArgsDef

/** Options that may be given several times. */
export const REPEATABLE: ReadonlySet<string> = new Set(['table', 'tracking', 'key', 'columns', 'exclude', 'exclude-matching'])
