import { Kysely, type Dialect } from 'kysely'
import { TidemarkError } from '../errors/tidemark-error.ts'
import type { ErrorCode } from '../errors/error-codes.ts'
import type { SourceCapabilities, SourceDialect } from './source.ts'
import type { LogicalType, TableRef } from './table.ts'
import { KyselySourceConnection } from './kysely-source-connection.ts'
import { callKysely } from './kysely-source-errors.ts'
import { checkAbort } from './kysely-source-abort.ts'

/** What Kysely's introspection can't tell about a table. */
export interface KyselyTableHints {
  /** Primary key columns in key order. Introspection knows none: without this, the table has no key. */
  readonly key?: readonly string[] | undefined
  /** Logical types by column name, where the default made from the type's name is wrong. */
  readonly columns?: Readonly<Record<string, LogicalType>> | undefined
}

export interface KyselySourceConfig {
  /** Engine name for status and errors, such as `duckdb`. */
  readonly name: string
  /**
   * Makes a dialect for each connection. A dialect given as such is used for all of them, which is right only where
   * its configuration opens a new driver each time: closing a connection destroys the driver.
   */
  readonly dialect: Dialect | (() => Dialect)
  /** The address without credentials. */
  readonly address: string
  /** Schema of names written without one. */
  readonly defaultSchema?: string | undefined
  /** By table name without schema. */
  readonly tables?: Readonly<Record<string, KyselyTableHints>> | undefined
  /** `streamsRows`: whether the driver streams with bounded memory. False by default: a driver may stream by fetching all. */
  readonly capabilities?: { readonly streamsRows?: boolean | undefined } | undefined
  /**
   * How old a mark must be to count as settled, in milliseconds. Default 10,000. A transaction that stays open longer
   * than this can commit rows that are never seen: only `reconcile` finds them.
   */
  readonly graceMs?: number | undefined
  /** The clock that the grace is measured with, in milliseconds. Default `Date.now`. */
  readonly nowMs?: (() => number) | undefined
  /**
   * Turns a driver's error into a code, by its code, class or errno, never by its text. `undefined`: not known, and
   * the error is `SOURCE_FAILED`, or `SOURCE_UNREACHABLE` while connecting.
   */
  readonly errorCode?: ((error: unknown) => ErrorCode | undefined) | undefined
}

/** The configuration with its defaults, as the connection uses it. */
export interface ResolvedKyselySource {
  readonly config: KyselySourceConfig
  readonly capabilities: SourceCapabilities
  readonly graceMs: number
  readonly nowMs: () => number
}

const DEFAULT_GRACE_MS = 10_000

/**
 * Makes any Kysely dialect a polling source. It settles by a declared grace, because a generic dialect has no way to
 * ask an engine which transactions are open.
 *
 * A JavaScript `Date` from a driver has milliseconds only: page by such a column only where the engine stores no more.
 */
export function kyselySource(config: KyselySourceConfig): SourceDialect {
  const capabilities: SourceCapabilities = {
    settling: 'grace',
    streamsRows: config.capabilities?.streamsRows ?? false,
    diagnoses: false,
    reportsSchemaVersion: false,
    // Introspection numbers columns by their place, if at all.
    keepsOrdinals: false,
    detectsRewind: false,
  }
  const resolved: ResolvedKyselySource = { config, capabilities, graceMs: config.graceMs ?? DEFAULT_GRACE_MS, nowMs: config.nowMs ?? Date.now }
  return {
    name: config.name,
    capabilities,
    address: config.address,
    parseTable: (name) => parseTable(name, config.defaultSchema),
    connect: async (options = {}) => {
      checkAbort(options.signal)
      const database = new Kysely<KyselyTables>({ dialect: typeof config.dialect === 'function' ? config.dialect() : config.dialect })
      try {
        // The first round trip: a dialect opens its driver lazily.
        await callKysely(() => database.connection().execute(async () => {}), { config, fallback: 'SOURCE_UNREACHABLE', signal: options.signal })
      } catch (error) {
        await database.destroy().catch(() => {})
        throw error
      }
      return new KyselySourceConnection(database, resolved)
    },
  }
}

/** Tables are known at run time only. */
export type KyselyTables = Readonly<Record<string, Readonly<Record<string, unknown>>>>

const PART = /^(?:"((?:[^"]|"")+)"|([^".\s][^".]*))$/u

/** `name`, `schema.name`; a part within double quotes may hold dots, and quotes written twice. */
function parseTable(name: string, defaultSchema: string | undefined): TableRef {
  const parts = (name.match(/(?:"(?:[^"]|"")*"|[^."])+|\./gu) ?? []).filter((part) => part !== '.').map(unquote)
  const [first, second] = parts
  if (name.includes('\0') || first === undefined || parts.length > 2) throw invalidName()
  return second === undefined ? { schema: defaultSchema, name: first } : { schema: first, name: second }
}

function unquote(part: string): string {
  const match = PART.exec(part)
  const text = match?.[1]?.replaceAll('""', '"') ?? match?.[2]
  if (text === undefined) throw invalidName()
  return text
}

function invalidName(): TidemarkError {
  return new TidemarkError('CONFIG_INVALID', 'A table name is `name`, `schema.name` or either in double quotes.', {
    issues: [{ path: 'table', message: 'not a table name' }],
  })
}
