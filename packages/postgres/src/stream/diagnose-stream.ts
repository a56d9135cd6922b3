import type { AbortOptions, Finding, TableRef } from '@tidemark/core/adapter'
import { TidemarkError } from '@tidemark/core/adapter'
import { parseTableName } from '../parse-table-name.ts'
import type { PostgresConfig } from '../postgres-config.ts'
import { PostgresSession } from '../postgres-session.ts'
import { quoteIdentifier, quoteLiteral } from '../quote.ts'
import type { SqlSession } from '../sql-session.ts'
import { openReplication } from './open-replication.ts'
import { describePublished } from './published-table.ts'

export interface DiagnoseStreamOptions extends AbortOptions {
  /** As `users` or `public.users`. Default: none is looked at. */
  readonly tables?: readonly string[] | undefined
  /** Looked at where it is named, else all slots of the server. */
  readonly slot?: string | undefined
  readonly publication?: string | undefined
}

interface SlotFacts {
  readonly name: string
  readonly plugin: string | null
  readonly database: string | null
  readonly active: boolean
  readonly status: string | null
  readonly retained: number | null
}

interface Facts {
  readonly here: string
  readonly user: string
  readonly isStandby: boolean
  readonly walLevel: string
  readonly mayReplicate: boolean
  readonly mayCreate: boolean
  readonly maxSlots: number
  readonly maxSenders: number
  readonly senders: number
  readonly keepMegabytes: number
  readonly slots: readonly SlotFacts[]
  readonly hasPublication: boolean
}

const FACTS = `SELECT pg_catalog.json_build_object('here', pg_catalog.current_database(), 'user', CURRENT_USER, 'isStandby', pg_catalog.pg_is_in_recovery(), 'walLevel', pg_catalog.current_setting('wal_level'),
  'mayReplicate', (SELECT rolreplication OR rolsuper FROM pg_catalog.pg_roles WHERE rolname = CURRENT_USER),
  'mayCreate', pg_catalog.has_database_privilege(pg_catalog.current_database(), 'CREATE'),
  'maxSlots', pg_catalog.current_setting('max_replication_slots')::pg_catalog.int4, 'maxSenders', pg_catalog.current_setting('max_wal_senders')::pg_catalog.int4,
  'senders', (SELECT count(*) FROM pg_catalog.pg_stat_activity WHERE backend_type = 'walsender'),
  'keepMegabytes', (SELECT setting::pg_catalog.int8 FROM pg_catalog.pg_settings WHERE name = 'max_slot_wal_keep_size'),
  'hasPublication', EXISTS (SELECT 1 FROM pg_catalog.pg_publication WHERE pubname = $1::pg_catalog.text),
  'slots', coalesce((SELECT pg_catalog.json_agg(pg_catalog.json_build_object('name', slot_name, 'plugin', plugin, 'database', database, 'active', active, 'status', wal_status,
    'retained', CASE WHEN pg_catalog.pg_is_in_recovery() THEN NULL ELSE pg_catalog.pg_wal_lsn_diff(pg_catalog.pg_current_wal_lsn(), restart_lsn) END) ORDER BY slot_name) FROM pg_catalog.pg_replication_slots), '[]'))`

/**
 * What stands in the way of streaming changes, and what may fill the server's disk, each with the SQL that mends it. Makes nothing. Errors: `SOURCE_*` where the server can't be asked.
 */
export async function diagnoseStream(config: PostgresConfig, options: DiagnoseStreamOptions = {}): Promise<readonly Finding[]> {
  await using session = new PostgresSession(config)
  const publication = options.publication ?? options.slot ?? ''
  const [row] = await session.query({ text: FACTS, parameters: [publication], signal: options.signal })
  // The statement above builds exactly this shape.
  const facts = JSON.parse(row?.[0] ?? '') as Facts
  const refs = (options.tables ?? []).map((table) => parseTableName(table, config.defaultSchema ?? 'public'))
  const findings = [...serverFindings(facts), ...slotFindings(facts, options), ...await senderFindings(session, facts, options)]
  for (const ref of refs) findings.push(...await tableFindings(session, ref, options))
  if (!facts.hasPublication && refs.length > 0) findings.push(...await ownerFindings(session, facts, { refs, signal: options.signal }))
  return findings
}

function serverFindings(facts: Facts): readonly Finding[] {
  const user = quoteIdentifier(facts.user)
  const findings: (Finding | false)[] = [
    facts.isStandby && { id: 'standby', severity: 'error', message: 'The server is a standby: changes are streamed from the primary.' },
    facts.walLevel !== 'logical' && { id: 'wal-level', severity: 'error', message: `wal_level is ${facts.walLevel}. The server has to be restarted after it is set.`, sql: 'ALTER SYSTEM SET wal_level = \'logical\'' },
    !facts.mayReplicate && { id: 'replication-missing', severity: 'error', message: 'The source user may not replicate.', sql: `ALTER ROLE ${user} REPLICATION` },
    facts.keepMegabytes < 0 && {
      id: 'slots-unbounded', severity: 'warning', message: 'Nothing limits what the server keeps for a slot: one that nobody reads fills its disk. A part of the disk that can be spared:', sql: 'ALTER SYSTEM SET max_slot_wal_keep_size = \'10GB\'; SELECT pg_reload_conf()',
    },
  ]
  return findings.filter((finding) => finding !== false)
}

function slotFindings({ slots, maxSlots, here }: Facts, { slot: wanted }: DiagnoseStreamOptions): readonly Finding[] {
  const found = slots.find(({ name }) => name === wanted)
  const findings: Finding[] = []
  if (found === undefined && slots.length >= maxSlots) {
    findings.push({ id: 'slots-exhausted', severity: 'error', message: `All ${maxSlots} replication slots are taken. Drop one that nobody needs, or raise the limit and restart the server.`, sql: `ALTER SYSTEM SET max_replication_slots = ${maxSlots + 10}` })
  }
  if (found !== undefined && (found.plugin !== 'pgoutput' || found.database !== here)) findings.push({ id: 'slot-foreign', severity: 'error', message: `The slot ${found.name} is of another plugin or database. Choose another name.` })
  for (const slot of wanted === undefined ? slots : found === undefined ? [] : [found]) findings.push(...stateFindings(slot))
  return findings
}

function stateFindings({ name, active, status, retained }: SlotFacts): readonly Finding[] {
  const sql = `SELECT pg_drop_replication_slot(${quoteLiteral(name)})`
  if (status === 'lost') return [{ id: 'slot-lost', severity: 'error', message: `The server has given up the slot ${name}: its next reader is told of a gap.`, sql }]
  const kept = `The server keeps ${Math.round((retained ?? 0) / 1024 / 1024)} MB for the slot ${name}`
  if (status === 'unreserved') return [{ id: 'slot-filling', severity: 'warning', message: `${kept}, and is about to give it up.` }]
  return active ? [{ id: 'slot-active', severity: 'info', message: `${kept}, which is being read.` }] : [{ id: 'slot-idle', severity: 'warning', message: `${kept}, which nobody reads just now. Where nobody will:`, sql }]
}

/** A log sender is asked for where nothing else is in the way. */
async function senderFindings(session: PostgresSession, facts: Facts, options: AbortOptions): Promise<readonly Finding[]> {
  if (facts.senders >= facts.maxSenders) return [{ id: 'senders-exhausted', severity: 'error', message: `All ${facts.maxSenders} log senders are at work. The server has to be restarted after more are allowed.`, sql: `ALTER SYSTEM SET max_wal_senders = ${facts.maxSenders + 10}` }]
  if (facts.isStandby || facts.walLevel !== 'logical' || !facts.mayReplicate) return []
  try {
    const { instance } = await openReplication(session, options)
    await instance.close()
    return []
  } catch (error) {
    if (!(error instanceof TidemarkError) || error.code === 'ABORTED') throw error
    return [{ id: 'replication-refused', severity: 'error', message: `${error.message} ${error.remedy}` }]
  }
}

async function tableFindings(session: SqlSession, ref: TableRef, options: AbortOptions): Promise<readonly Finding[]> {
  try {
    await describePublished(session, ref, options)
    return []
  } catch (error) {
    if (!(error instanceof TidemarkError) || !/^(?:TABLE_|SOURCE_PERMISSION_DENIED|COLUMN_)/.test(error.code)) throw error
    const sql = /^(?:ALTER|GRANT) /.test(error.remedy) ? error.remedy.replace(/, or give.*$/, '') : undefined
    return [{ id: error.code === 'TABLE_NOT_CAPTURABLE' ? 'table-identity' : 'table-unreadable', severity: 'error', message: `${ref.schema ?? 'public'}.${ref.name}: ${error.message}`, ...(sql === undefined ? {} : { sql }) }]
  }
}

const OWNED = `SELECT pg_catalog.pg_has_role(CURRENT_USER, c.relowner, 'USAGE') FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = $1::pg_catalog.text AND c.relname = $2::pg_catalog.text`

/** Who may not make a publication needs one that is there. */
async function ownerFindings(session: SqlSession, { mayCreate }: Facts, { refs, signal }: AbortOptions & { readonly refs: readonly TableRef[] }): Promise<readonly Finding[]> {
  let isOwner = mayCreate
  for (const { schema, name } of refs) {
    const [row] = await session.query({ text: OWNED, parameters: [schema ?? 'public', name], signal })
    if (row?.[0] === 'f') isOwner = false
  }
  if (isOwner) return []
  const names = refs.map(({ schema, name }) => `${quoteIdentifier(schema ?? 'public')}.${quoteIdentifier(name)}`).join(', ')
  return [{
    id: 'publication-missing', severity: 'error', message: 'There is no such publication, and the source user may not make one. As the owner of the tables, under the name that is given as the publication:',
    sql: `CREATE PUBLICATION tidemark FOR TABLE ${names} WITH (publish_via_partition_root = true)`,
  }]
}
