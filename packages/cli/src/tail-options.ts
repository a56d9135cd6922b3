import type { SecretInput } from '@tidemark/core'
import { tokenOption, type OptionContext } from './connection-options.ts'
import type { Faults } from './faults.ts'
import type { Flags } from './flags.ts'
import { locateTarget, type TargetLocation } from './url.ts'

const OPS = ['insert', 'update', 'delete', 'truncate'] as const
export type TailOp = (typeof OPS)[number]

/** What `tail` shall do. */
export interface TailOptions {
  readonly location: TargetLocation
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
}

/** `undefined` after a fault. */
export function tailOptions(flags: Flags, context: OptionContext): TailOptions | undefined {
  const { faults } = context
  const location = locationOption(flags, faults)
  const authToken = tokenOption(flags, { name: 'token', variable: 'TIDEMARK_SOURCE_TOKEN' }, context)
  const isUninstall = flags.has('uninstall')
  if (!isUninstall && !flags.has('table')) faults.add('--table', 'Is missing; it may be given several times.')
  if (isUninstall) refuseBeside(flags, faults)
  if (flags.has('from-start') && flags.has('snapshot')) faults.add('--from-start', 'Has no meaning with --snapshot.')
  const begin = flags.has('snapshot') ? 'snapshot' : flags.has('from-start') ? 'start' : 'now'
  const ops = opsOption(flags, faults)
  if (location === undefined) return undefined
  return {
    location, authToken, ops, begin, isUninstall,
    tables: flags.all('table').filter((table) => table !== ''), id: flags.get('id'), isUntilIdle: flags.has('until-idle'), log: flags.get('log'),
  }
}

function locationOption(flags: Flags, faults: Faults): TargetLocation | undefined {
  const text = flags.get('database')
  if (text === undefined || text === '') {
    faults.add('database', 'Is missing: a SQLite file, or the URL of a libSQL server.')
    return undefined
  }
  const located = locateTarget(text, '--token')
  if ('location' in located) return located.location
  faults.add('database', located.fault)
  return undefined
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
