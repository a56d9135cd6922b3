import { existsSync } from 'node:fs'
import type { Replicator, TargetDialect } from '@tidemark/core'
import type { CommandContext } from './command.ts'
import { sourceOptions, targetOptions } from './connection-options.ts'
import { makeReplicator } from './make-replicator.ts'
import { openSource } from './open-source.ts'
import { noTarget, openTarget, type TargetSettings } from './open-target.ts'
import { replicationsOf, tableOptions } from './replication-options.ts'

export interface ConfigureOptions {
  /** `optional`: without one, or where its file does not exist yet, nothing is ever written to disk. */
  readonly target: 'required' | 'optional' | 'none'
  readonly everyMs?: number | undefined
}

export interface Configured {
  readonly replicator: Replicator
  /** Of the replications, in the order of `--table`. */
  readonly names: readonly string[]
}

/** Reads the options of source, target and tables; opens nothing. Errors: `CONFIG_INVALID` with all faults. */
export async function configure(context: CommandContext, options: ConfigureOptions): Promise<Configured> {
  const { flags, faults, host } = context
  const optionContext = { environment: host.environment, faults }
  const sourceSettings = sourceOptions(flags, optionContext)
  const wantsTarget = options.target === 'required' || (options.target === 'optional' && flags.has('to'))
  const targetSettings = wantsTarget ? targetOptions(flags, optionContext) : undefined
  const tables = tableOptions(flags, faults)
  const source = sourceSettings === undefined ? undefined : await faults.collect('--from', () => openSource(sourceSettings))
  const target = await faults.collect('--to', () => chooseTarget(targetSettings, options))
  const { everyMs } = options
  const replications = source === undefined ? [] : await replicationsOf(tables, { source, everyMs }, faults)
  faults.throwIfAny()
  const replicator = makeReplicator({ target: target ?? noTarget(), replications, tablePrefix: flags.get('prefix') })
  return { replicator, names: replications.map(({ name }) => name) }
}

async function chooseTarget(settings: TargetSettings | undefined, options: ConfigureOptions): Promise<TargetDialect> {
  if (settings === undefined) return noTarget()
  const { location } = settings
  const isNew = location.kind === 'file' && !existsSync(location.path)
  return isNew && options.target === 'optional' ? noTarget() : openTarget(settings)
}
