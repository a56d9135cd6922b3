import { TidemarkError, type AbortOptions } from '@tidemark/core/adapter'
import type { PostgresSession } from '../postgres-session.ts'
import { quoteLiteral, quoteTable } from '../quote.ts'
import type { PublishedTable } from './published-table.ts'

export interface PublicationRequest extends AbortOptions {
  readonly publication: string
  readonly tables: readonly PublishedTable[]
}

/** What a publication of ours is marked with, so that it may follow the list of tables. */
const MARK = 'managed by tidemark'

interface PublicationState {
  readonly allTables: boolean
  readonly isOurs: boolean
  readonly operations: boolean
  readonly viaRoot: boolean
  readonly tables: readonly string[]
}

const PUBLICATION = `SELECT pg_catalog.json_build_object('allTables', p.puballtables, 'isOurs', coalesce(pg_catalog.obj_description(p.oid, 'pg_publication') = '${MARK}', false),
  'operations', p.pubinsert AND p.pubupdate AND p.pubdelete AND p.pubtruncate, 'viaRoot', p.pubviaroot,
  'tables', coalesce((SELECT pg_catalog.json_agg(pg_catalog.quote_ident(t.schemaname) || '.' || pg_catalog.quote_ident(t.tablename)) FROM pg_catalog.pg_publication_tables t WHERE t.pubname = p.pubname), '[]'))
FROM pg_catalog.pg_publication p WHERE p.pubname = $1::pg_catalog.text`

/** Row filters and column lists came with 15. */
const FILTERED = `SELECT 1 FROM pg_catalog.pg_publication_rel r JOIN pg_catalog.pg_publication p ON p.oid = r.prpubid
WHERE p.pubname = $1::pg_catalog.text AND (pg_catalog.to_jsonb(r) ->> 'prqual' IS NOT NULL OR pg_catalog.to_jsonb(r) ->> 'prattrs' IS NOT NULL)`

/** Makes the publication or brings it in line with the tables. Errors: `LOG_NOT_OWNED`, `SOURCE_PERMISSION_DENIED`. Tells whether it was made. */
export async function ensurePublication(session: PostgresSession, request: PublicationRequest): Promise<boolean> {
  const { publication } = request
  const [row] = await session.query({ text: PUBLICATION, parameters: [publication], signal: request.signal })
  if (row === undefined) {
    await execute(session, createText(request), request)
    return true
  }
  // The statement above builds exactly this shape.
  const state = JSON.parse(row[0] ?? '') as PublicationState
  if (!state.operations) throw notFit(publication, 'does not publish every kind of change')
  const wanted = await quotedNames(session, request)
  if (wanted.every((name) => state.tables.includes(name)) && (!state.isOurs || wanted.length === state.tables.length)) return await requireUnfiltered(session, request)
  if (state.allTables) throw notFit(publication, 'is for all tables but does not have those that are named')
  const verb = state.isOurs ? 'SET' : 'ADD'
  const changed = state.isOurs ? wanted : wanted.filter((name) => !state.tables.includes(name))
  await execute(session, `ALTER PUBLICATION ${quoteName(publication)} ${verb} TABLE ${changed.join(', ')}`, request)
  return await requireUnfiltered(session, request)
}

export async function dropPublication(session: PostgresSession, publication: string, options: AbortOptions): Promise<void> {
  const [row] = await session.query({ text: PUBLICATION, parameters: [publication], signal: options.signal })
  // The statement above builds exactly this shape.
  if (row !== undefined && (JSON.parse(row[0] ?? '') as PublicationState).isOurs) await execute(session, `DROP PUBLICATION IF EXISTS ${quoteName(publication)}`, options)
}

/** A snapshot knows nothing of them: rows would come that no change of follows. */
async function requireUnfiltered(session: PostgresSession, { publication, signal }: PublicationRequest): Promise<false> {
  const filtered = await session.query({ text: FILTERED, parameters: [publication], signal })
  if (filtered.length > 0) throw notFit(publication, 'has row filters or column lists')
  return false
}

function createText({ publication, tables }: PublicationRequest): string {
  const names = tables.map(({ schema }) => quoteTable(schema.ref)).join(', ')
  return `CREATE PUBLICATION ${quoteName(publication)} FOR TABLE ${names} WITH (publish = 'insert, update, delete, truncate', publish_via_partition_root = true); `
    + `COMMENT ON PUBLICATION ${quoteName(publication)} IS ${quoteLiteral(MARK)}`
}

async function execute(session: PostgresSession, text: string, options: AbortOptions): Promise<void> {
  try {
    await session.execute(text, options)
  } catch (error) {
    if (!(error instanceof TidemarkError) || error.code !== 'SOURCE_PERMISSION_DENIED') throw error
    throw new TidemarkError(error.code, 'The source user may not make or change the publication.', { detail: error.detail, cause: error.cause, remedy: `As the owner of the tables, with CREATE on the database: ${text}` })
  }
}

/** Those that are there still, as the server quotes them, to compare with. */
async function quotedNames(session: PostgresSession, { tables, signal }: PublicationRequest): Promise<readonly string[]> {
  const names = tables.map(({ schema: { ref } }) => `(${quoteLiteral(ref.schema ?? 'public')}, ${quoteLiteral(ref.name)})`)
  const text = `SELECT pg_catalog.quote_ident(n.nspname) || '.' || pg_catalog.quote_ident(c.relname) FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    WHERE (n.nspname, c.relname) IN (${names.join(', ')})`
  return (await session.query({ text, signal })).map(([name]) => name ?? '')
}

function quoteName(name: string): string {
  return quoteTable({ name })
}

function notFit(publication: string, fault: string): TidemarkError {
  return new TidemarkError('LOG_NOT_OWNED', `The publication "${publication}" ${fault}.`, { detail: 'publication', remedy: 'Choose another `publication` name, or drop the existing publication.' })
}
