import type { SecretInput } from '@tidemark/core'
import { tlsOption, tokenOption, type OptionContext } from './connection-options.ts'
import type { Faults } from './faults.ts'
import type { Flags } from './flags.ts'
import type { SourceTls } from './open-source.ts'
import { locateSource, locateTarget, type TargetLocation } from './url.ts'

const OPS = ['insert', 'update', 'delete', 'truncate'] as const
export type TailOp = (typeof OPS)[number]

export interface PostgresTailLocation {
  readonly kind: 'postgres'
  readonly url: SecretInput
  readonly tls: SourceTls | undefined
}

/** What `tail` shall do. */
export interface TailOptions {
  readonly location: TargetLocation | PostgresTailLocation
  readonly authToken: SecretInput | undefined
  readonly tables: readonly string[]
  /** `undefined`: all. */
  readonly ops: readonly TailOp[] | undefined
  /** Of a subscriber that goes on where it stopped; `undefined`: nothing is remembered. */
  readonly id: string | undefined
  /** Where to begin when nothing is remembered. */
  readonly begin: 'now' | 'start' | 'snapshot'
  readonly isUntilIdle: boolean
  readonly isUninstall: boolean
  /** Prefix of the log's tables; `undefined`: the source's default. */
  readonly log: string | undefined
  /** PostgreSQL: remembers at the server under this name; `undefined`: nothing is remembered. */
  readonly slot: string | undefined
  /** PostgreSQL: one that is there already. */
  readonly publication: string | undefined
}

/** `undefined` after a fault. */
export function tailOptions(flags: Flags, context: OptionContext): TailOptions | undefined {
  const { faults } = context
  const location = locationOption(flags, context)
  const authToken = tokenOption(flags, { name: 'token', variable: 'TIDEMARK_SOURCE_TOKEN' }, context)
  const isUninstall = flags.has('uninstall')
  if (!isUninstall && !flags.has('table')) faults.add('--table', 'Is missing; it may be given several times.')
  if (isUninstall) refuseBeside(flags, faults)
  if (flags.has('from-start') && flags.has('snapshot')) faults.add('--from-start', 'Has no meaning with --snapshot.')
  const begin = flags.has('snapshot') ? 'snapshot' : flags.has('from-start') ? 'start' : 'now'
  if (location !== undefined) refuseOthers(location, flags, faults)
  const ops = opsOption(flags, faults)
  if (location === undefined) return undefined
  return {
    location, authToken, ops, begin, isUninstall,
    tables: flags.all('table').filter((table) => table !== ''), id: flags.get('id'), isUntilIdle: flags.has('until-idle'), log: flags.get('log'),
    slot: flags.get('slot'), publication: flags.get('publication'),
  }
}

function locationOption(flags: Flags, { environment, faults }: OptionContext): TailOptions['location'] | undefined {
  const text = flags.get('database')
  if (text === undefined || text === '') {
    faults.add('database', 'Is missing: a SQLite file, or the URL of a libSQL or PostgreSQL server.')
    return undefined
  }
  if (/^(?:postgres|postgresql|env):/i.test(text)) return postgresLocation(text, flags, { environment, faults })
  const located = locateTarget(text, '--token')
  if ('location' in located) return located.location
  faults.add('database', located.fault)
  return undefined
}

function postgresLocation(text: string, flags: Flags, { environment, faults }: OptionContext): PostgresTailLocation | undefined {
  const tls = tlsOption(flags, faults)
  const located = locateSource(text, environment)
  if ('location' in located && located.location.kind === 'postgres') return { kind: 'postgres', url: located.location.url, tls }
  faults.add('database', 'location' in located ? 'Changes of MySQL can not be followed yet.' : located.fault)
  return undefined
}

const SQLITE_ONLY = ['id', 'from-start', 'log', 'token']
const POSTGRES_ONLY = ['slot', 'publication', 'tls', 'ca']

function refuseOthers({ kind }: TailOptions['location'], flags: Flags, faults: Faults): void {
  const isPostgres = kind === 'postgres'
  for (const name of isPostgres ? SQLITE_ONLY : POSTGRES_ONLY) {
    if (flags.has(name)) faults.add(`--${name}`, `Has no meaning for ${isPostgres ? 'PostgreSQL: --slot remembers there' : 'SQLite and libSQL'}.`)
  }
  const slot = flags.get('slot')
  // With what is put before it, a slot's name has 63 characters at most.
  if (slot !== undefined && !/^[a-z0-9_]{1,40}$/.test(slot)) faults.add('--slot', 'Must be 1 to 40 lower-case letters, digits or underscores.')
  if (isPostgres && flags.has('uninstall') && slot === undefined) faults.add('--slot', 'Is missing: the slot to drop.')
}

function opsOption(flags: Flags, faults: Faults): readonly TailOp[] | undefined {
  const names = flags.get('ops')?.split(',').map((name) => name.trim()).filter((name) => name !== '')
  if (names === undefined || names.length === 0) return undefined
  const known = names.flatMap((name) => OPS.find((op) => op === name) ?? [])
  if (known.length < names.length) faults.add('--ops', `Must be a list of ${OPS.join(', ')}.`)
  return known
}

function refuseBeside(flags: Flags, faults: Faults): void {
  for (const name of ['ops', 'id', 'from-start', 'snapshot', 'until-idle']) {
    if (flags.has(name)) faults.add(`--${name}`, 'Has no meaning with --uninstall.')
  }
}
