import { TidemarkError, type TargetCapabilities, type TargetConnection, type TargetConnectOptions, type TargetDialect } from '@tidemark/core/adapter'
import type { SqliteDriver } from './driver.ts'
import { migrate } from './migrations.ts'
import type { TextForm } from './source/cell-codec.ts'
import { SqliteTargetConnection } from './sqlite-target-connection.ts'
import { requireTablePrefix } from './require-plain-name.ts'

export interface SqliteTargetConfig {
  readonly name: string
  readonly address: string
  readonly capabilities: TargetCapabilities
  /** As of a source: `bytes` for a driver that can't give every text as a string. Default `string`. */
  readonly textForm?: TextForm | undefined
  readonly open: () => Promise<SqliteDriver>
}

/** A target dialect from a driver: what `nodeSqliteTarget` and `libsqlTarget` are made of. */
export function sqliteTarget(config: SqliteTargetConfig): TargetDialect {
  return {
    name: config.name,
    address: config.address,
    capabilities: config.capabilities,
    connect: (options) => connect(config, options),
  }
}

async function connect(config: SqliteTargetConfig, options: TargetConnectOptions): Promise<TargetConnection> {
  const { tablePrefix, signal } = options
  requireTablePrefix(tablePrefix)
  if (signal?.aborted === true) throw new TidemarkError('ABORTED', 'The operation was aborted before it began.')
  const driver = await config.open()
  try {
    await migrate(driver, tablePrefix)
    return new SqliteTargetConnection({ driver, capabilities: config.capabilities, tablePrefix, textForm: config.textForm ?? 'string' })
  } catch (error) {
    await driver[Symbol.asyncDispose]()
    throw error
  }
}
