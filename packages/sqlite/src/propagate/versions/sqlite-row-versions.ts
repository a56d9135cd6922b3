import { fromSequence, NO_TIME, TidemarkError, toSequence, toVersion, type LogPosition, type PeerTable, type RowValues, type RowVersion, type RowVersions, type Sequence, type SliceLimit, type Tombstone } from '@tidemark/core/adapter'
import type { SerialDriver } from '../../serial-driver.ts'
import { readShape } from '../peer-shape.ts'
import type { PropagationDriver } from '../sqlite-propagation-target.ts'
import { changedKeys } from './changed-keys.ts'
import { parseKeyText } from './key-text.ts'
import { readVersions } from './newer-changes.ts'
import { stampLog } from './stamp-log.ts'
import type { VersionedContext } from './versioned-apply.ts'

/** The versions of the rows of one database, for its propagator. */
export class SqliteRowVersions implements RowVersions {
  readonly #driver: SerialDriver<PropagationDriver>
  readonly #context: VersionedContext
  #decode: ((bytes: Uint8Array) => string) | undefined

  constructor(driver: SerialDriver<PropagationDriver>, context: VersionedContext) {
    this.#driver = driver
    this.#context = context
  }

  async stamp(): Promise<{ readonly epoch: string; readonly sequence: Sequence } | undefined> {
    const { names, log, own, writes } = this.#context
    return this.#driver.use(async (driver) => {
      const [row] = await driver.query(`SELECT (SELECT value FROM ${log.meta} WHERE key = 'epoch'), (SELECT max(seq) FROM ${log.log}), (SELECT stamped FROM ${names.clock})`)
      const [epoch, head, stamped] = row ?? []
      if (epoch === undefined || epoch === null) return undefined
      const clock = Number(head) <= Number(stamped) ? { stamped: Number(stamped) } : await driver.transaction((transaction) => stampLog(transaction, { names, log, origin: own, nowMs: writes.now(), tombstoneMs: writes.tombstoneMs }))
      return { epoch: String(epoch), sequence: toSequence(clock.stamped) }
    })
  }

  async stampAfter(sequence: Sequence): Promise<{ readonly sequence: Sequence; readonly version: RowVersion } | undefined> {
    const rows = await this.#driver.use((driver) => driver.query(`SELECT seq, version FROM ${this.#context.names.stamps} WHERE seq > ? ORDER BY seq LIMIT 1`, [fromSequence(sequence)]))
    const [row] = rows
    return row === undefined ? undefined : { sequence: toSequence(Number(row[0])), version: String(row[1]) }
  }

  async versionsOf(table: PeerTable, keys: readonly RowValues[], at: LogPosition): Promise<readonly RowVersion[]> {
    const { names, log, own } = this.#context
    return this.#driver.use((driver) => driver.transaction(async (transaction) => {
      const shape = await readShape(transaction, table.name)
      if (shape === undefined) throw new TidemarkError('TABLE_UNKNOWN', `The database has no table '${table.name}'.`)
      const changed = await changedKeys(transaction, { log, table: table.name, collations: shape.collations, seq: fromSequence(at.sequence) })
      const least = toVersion(NO_TIME, own)
      const versions: RowVersion[] = []
      for (let from = 0; from < keys.length; from += KEYS_PER_QUERY) {
        const found = await readVersions(transaction, keys.slice(from, from + KEYS_PER_QUERY), { names, table, shape, own })
        for (const { key, version } of found) versions.push(version === undefined || changed.has(key) ? least : version)
      }
      return versions
    }))
  }

  async tombstones(table: PeerTable, { after, limit }: { readonly after: string | null; readonly limit: SliceLimit }): Promise<{ readonly tombstones: readonly Tombstone[]; readonly next: string | null }> {
    const { names } = this.#context
    return this.#driver.use(async (driver) => {
      const found = await driver.query(`SELECT key, version FROM ${names.versions} WHERE name = ? AND gone > 0 AND key > ? ORDER BY key LIMIT ${limit.events}`, [table.name, after ?? ''])
      const rows = found.slice(0, fitting(found, limit.bytes))
      const decode = this.#decode ??= await decoderOf(driver)
      const tombstones = rows.map(([key, version]) => ({ key: parseKeyText(String(key), decode), version: String(version) }))
      return { tombstones, next: rows.length < limit.events && rows.length === found.length ? null : String(rows.at(-1)?.[0]) }
    })
  }
}

/** How many of them, by the length of their texts, which is near to what a message has for them. At least one. */
function fitting(rows: readonly RowValues[], maxBytes: number): number {
  let bytes = 0
  const end = rows.findIndex(([key, version], index) => {
    bytes += String(key).length + String(version).length
    return index > 0 && bytes > maxBytes
  })
  return end === -1 ? rows.length : end
}

const KEYS_PER_QUERY = 24

async function decoderOf(driver: PropagationDriver): Promise<(bytes: Uint8Array) => string> {
  const [row] = await driver.query('SELECT encoding FROM pragma_encoding')
  const decoder = new TextDecoder(String(row?.[0] ?? 'UTF-8').toLowerCase())
  return (bytes) => decoder.decode(bytes)
}
