import { quoteIdentifier, quoteLiteral } from '../quote.ts'
import { PINNED } from '../session-parameters.ts'
import { parseLsn, type Lsn } from './lsn.ts'

/** What is asked of a slot. Rows are messages of the plugin, but for those that describe tables, which come again with each look. */
export interface PeekRequest {
  readonly slot: string
  readonly publication: string
  readonly hasMessages: boolean
  /** Rows behind the slot's place that were taken before. */
  readonly skip: number
  readonly maxRows: number
  readonly maxBytes: number
  /** After how many rows the server stops, at the end of a transaction. */
  readonly upTo: number
}

/** What the server knows of the slot, and the rows that were taken. */
export interface Peeked {
  readonly system: string
  readonly timeline: string
  readonly confirmed: Lsn
  readonly insert: Lsn
  readonly flush: Lsn
  /** All messages that the server made, of which most may have been skipped. */
  readonly returned: number
  readonly taken: number
  /** Whether rows are left that were not taken. */
  readonly hasRest: boolean
  /** The row at `skip`, and the last one that was taken. */
  readonly anchor: string | null
  readonly last: string | null
  /** Each with its length in front. */
  readonly messages: Buffer
}

interface Answer extends Pick<Peeked, 'system' | 'timeline' | 'returned' | 'taken' | 'hasRest' | 'anchor' | 'last'> {
  readonly confirmed: string | null
  readonly insert: string
  readonly flush: string
}

const PINS = Object.entries(PINNED).filter(([name]) => name !== 'default_transaction_read_only').map(([name, value]) => `(${quoteLiteral(name)}, ${quoteLiteral(value)})`).join(', ')

/**
 * One statement, since each may have another connection. The slot is looked at first, then the log's end, then the parameters are pinned that values are
 * printed by, and only then the log is read: what is behind depends on what is before. Messages are counted, cut off and joined at the server: one row with one value crosses.
 */
const PEEK = `SELECT pg_catalog.json_build_object('system', r.system, 'timeline', r.timeline, 'confirmed', r.confirmed, 'insert', r.insert, 'flush', r.flush,
  'returned', m.returned, 'taken', m.taken, 'hasRest', m.rest, 'anchor', m.anchor, 'last', m.last), pg_catalog.encode(m.bytes, 'base64')
FROM (
  SELECT e.*, pg_catalog.pg_current_wal_flush_lsn()::pg_catalog.text AS flush, (SELECT count(pg_catalog.set_config(p.name, p.value, true)) FROM (VALUES ${PINS}) AS p(name, value)) AS pinned
  FROM (
    SELECT s.slot_name, s.confirmed_flush_lsn::pg_catalog.text AS confirmed, (SELECT system_identifier::pg_catalog.text FROM pg_catalog.pg_control_system()) AS system,
      pg_catalog.substr(pg_catalog.pg_walfile_name(pg_catalog.pg_current_wal_insert_lsn()), 1, 8) AS timeline, pg_catalog.pg_current_wal_insert_lsn()::pg_catalog.text AS insert
    FROM pg_catalog.pg_replication_slots s WHERE s.slot_name = $1::pg_catalog.text OFFSET 0
  ) e OFFSET 0
) r, LATERAL (
  SELECT count(*) AS returned, count(*) FILTER (WHERE d.is_row AND d.is_taken) AS taken, coalesce(pg_catalog.bool_or(d.is_new AND NOT d.is_taken), false) AS rest,
    max(d.mark) FILTER (WHERE d.is_row AND d.n = $3::pg_catalog.text::pg_catalog.int8) AS anchor,
    pg_catalog.substr(max(pg_catalog.lpad(d.n::pg_catalog.text, 15, '0') || d.mark) FILTER (WHERE d.is_row AND d.is_taken), 16) AS last,
    pg_catalog.string_agg(pg_catalog.int4send(pg_catalog.length(d.data)) || d.data, ''::pg_catalog.bytea) FILTER (WHERE d.is_taken) AS bytes
  FROM (
    SELECT c.*, c.is_new AND (c.news <= 1 OR (c.news <= $4::pg_catalog.text::pg_catalog.int8 AND c.size <= $5::pg_catalog.text::pg_catalog.int8)) AS is_taken FROM (
      SELECT b.*, count(*) FILTER (WHERE b.is_new AND b.is_row) OVER (ROWS UNBOUNDED PRECEDING) AS news,
        sum(CASE WHEN b.is_new THEN pg_catalog.length(b.data) ELSE 0 END) OVER (ROWS UNBOUNDED PRECEDING) AS size
      FROM (
        SELECT a.*, a.n > $3::pg_catalog.text::pg_catalog.int8 OR (NOT a.is_row AND a.n = $3::pg_catalog.text::pg_catalog.int8) AS is_new FROM (
          SELECT k.*, count(*) FILTER (WHERE k.is_row) OVER (ROWS UNBOUNDED PRECEDING) AS n FROM (
            SELECT p.data, p.lsn::pg_catalog.text || ' ' || p.xid::pg_catalog.text AS mark, pg_catalog.get_byte(p.data, 0) NOT IN (82, 89) AS is_row
            FROM pg_catalog.pg_logical_slot_peek_binary_changes(r.slot_name, NULL, $6::pg_catalog.text::pg_catalog.int4 + 0 * r.pinned::pg_catalog.int4,
              'proto_version', '1', 'publication_names', $2::pg_catalog.text, 'messages', $7::pg_catalog.text) AS p
          ) k
        ) a
      ) b
    ) c
  ) d
) m`

export function peekStatement({ slot, publication, hasMessages, skip, maxRows, maxBytes, upTo }: PeekRequest): { readonly text: string; readonly parameters: readonly string[] } {
  return { text: PEEK, parameters: [slot, quoteIdentifier(publication), String(skip), String(maxRows), String(maxBytes), String(upTo), String(hasMessages)] }
}

/** Errors: `SOURCE_CORRUPT_RESULT`. */
export function readPeeked([text, messages]: readonly (string | null)[]): Peeked {
  // The statement above builds exactly this shape.
  const answer = JSON.parse(text ?? '') as Answer
  return {
    ...answer,
    confirmed: parseLsn(answer.confirmed), insert: parseLsn(answer.insert), flush: parseLsn(answer.flush),
    messages: Buffer.from(messages ?? '', 'base64'),
  }
}
