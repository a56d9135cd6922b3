import { TidemarkError, type AbortOptions } from '@tidemark/core/adapter'
import type { SqlSession } from '../sql-session.ts'
import { quoteLiteral, quoteTable } from '../quote.ts'
import { parseMark, printMark, type PublicationMark } from './publication-mark.ts'
import type { PublishedTable } from './published-table.ts'

export interface PublicationRequest extends AbortOptions {
  readonly publication: string
  /** The slot that it is for: one that Tidemark made for another is not followed by this one's tables. */
  readonly slot: string
  readonly tables: readonly PublishedTable[]
}

/** A publication as it is found, or made. */
export interface EnsuredPublication {
  readonly isNew: boolean
  /** Whether it was made for this very slot. */
  readonly isOurs: boolean
  /** Of a slot that was dropped because it kept too much, see {@link PublicationMark}. */
  readonly dropped: PublicationMark['dropped']
}

interface PublicationState {
  readonly allTables: boolean
  readonly comment: string | null
  readonly operations: boolean
  readonly tables: readonly string[]
}

const PUBLICATION = `SELECT pg_catalog.json_build_object('allTables', p.puballtables, 'comment', pg_catalog.obj_description(p.oid, 'pg_publication'),
  'operations', p.pubinsert AND p.pubupdate AND p.pubdelete AND p.pubtruncate,
  'tables', coalesce((SELECT pg_catalog.json_agg(pg_catalog.quote_ident(t.schemaname) || '.' || pg_catalog.quote_ident(t.tablename)) FROM pg_catalog.pg_publication_tables t WHERE t.pubname = p.pubname), '[]'))
FROM pg_catalog.pg_publication p WHERE p.pubname = $1::pg_catalog.text`

/** Row filters and column lists came with 15. */
const FILTERED = `SELECT 1 FROM pg_catalog.pg_publication_rel r JOIN pg_catalog.pg_publication p ON p.oid = r.prpubid
WHERE p.pubname = $1::pg_catalog.text AND (pg_catalog.to_jsonb(r) ->> 'prqual' IS NOT NULL OR pg_catalog.to_jsonb(r) ->> 'prattrs' IS NOT NULL)`

/** Makes the publication or brings it in line with the tables. Errors: `LOG_NOT_OWNED`, `SOURCE_PERMISSION_DENIED`. */
export async function ensurePublication(session: SqlSession, request: PublicationRequest): Promise<EnsuredPublication> {
  const { publication } = request
  const state = await readPublication(session, request)
  if (state === undefined) {
    await execute(session, createText(request), request)
    return { isNew: true, isOurs: true, dropped: undefined }
  }
  if (!state.operations) throw notFit(publication, 'does not publish every kind of change')
  const mark = parseMark(state.comment)
  const isOurs = mark?.slot === request.slot
  await follow(session, request, { state, isOurs })
  await requireUnfiltered(session, request)
  return { isNew: false, isOurs, dropped: isOurs ? mark.dropped : undefined }
}

async function follow(session: SqlSession, request: PublicationRequest, { state, isOurs }: { readonly state: PublicationState; readonly isOurs: boolean }): Promise<void> {
  const wanted = await quotedNames(session, request)
  if (wanted.every((name) => state.tables.includes(name)) && (!isOurs || wanted.length === state.tables.length)) return
  if (state.allTables) throw notFit(request.publication, 'is for all tables but does not have those that are named')
  if (wanted.length === 0) return execute(session, `ALTER PUBLICATION ${quoteName(request.publication)} DROP TABLE ${state.tables.join(', ')}`, request)
  const changed = isOurs ? wanted : wanted.filter((name) => !state.tables.includes(name))
  await execute(session, `ALTER PUBLICATION ${quoteName(request.publication)} ${isOurs ? 'SET' : 'ADD'} TABLE ${changed.join(', ')}`, request)
}

/** Only one that was made for the slot. */
export async function dropPublication(session: SqlSession, request: Omit<PublicationRequest, 'tables'>): Promise<void> {
  const state = await readPublication(session, request)
  if (parseMark(state?.comment)?.slot === request.slot) await execute(session, `DROP PUBLICATION IF EXISTS ${quoteName(request.publication)}`, request)
}

/** Notes on our publication that its slot is given up, or what came in its place. */
export async function markPublication(session: SqlSession, { publication, slot, dropped, ...options }: Omit<PublicationRequest, 'tables'> & Pick<PublicationMark, 'dropped'>): Promise<void> {
  await execute(session, commentText(publication, { slot, dropped }), options)
}

async function readPublication(session: SqlSession, { publication, signal }: Omit<PublicationRequest, 'tables'>): Promise<PublicationState | undefined> {
  const [row] = await session.query({ text: PUBLICATION, parameters: [publication], signal })
  // The statement above builds exactly this shape.
  return row === undefined ? undefined : JSON.parse(row[0] ?? '') as PublicationState
}

/** A snapshot knows nothing of them: rows would come that no change of follows. */
async function requireUnfiltered(session: SqlSession, { publication, signal }: PublicationRequest): Promise<void> {
  const filtered = await session.query({ text: FILTERED, parameters: [publication], signal })
  if (filtered.length > 0) throw notFit(publication, 'has row filters or column lists')
}

function createText({ publication, slot, tables }: PublicationRequest): string {
  const names = tables.map(({ schema }) => quoteTable(schema.ref)).join(', ')
  return `CREATE PUBLICATION ${quoteName(publication)}${tables.length === 0 ? '' : ` FOR TABLE ${names}`} WITH (publish = 'insert, update, delete, truncate', publish_via_partition_root = true); `
    + commentText(publication, { slot })
}

function commentText(publication: string, mark: PublicationMark): string {
  return `COMMENT ON PUBLICATION ${quoteName(publication)} IS ${quoteLiteral(printMark(mark))}`
}

async function execute(session: SqlSession, text: string, options: AbortOptions): Promise<void> {
  try {
    await session.execute(text, options)
  } catch (error) {
    if (!(error instanceof TidemarkError) || error.code !== 'SOURCE_PERMISSION_DENIED') throw error
    throw new TidemarkError(error.code, 'The source user may not make or change the publication.', { detail: error.detail, cause: error.cause, remedy: `As the owner of the tables, with CREATE on the database: ${text}` })
  }
}

/** Those that are there still, as the server quotes them, to compare with. */
async function quotedNames(session: SqlSession, { tables, signal }: PublicationRequest): Promise<readonly string[]> {
  if (tables.length === 0) return []
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
