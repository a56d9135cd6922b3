import { TidemarkError, type TargetCapabilities, type TargetConnection, type TargetConnectOptions, type TargetDialect } from '@tidemark/core/adapter'
import type { SqliteDriver } from './driver.ts'
import { migrate } from './migrations.ts'
import { SqliteTargetConnection } from './sqlite-target-connection.ts'
import { requireTablePrefix } from './require-plain-name.ts'
import { toTargetDriver, type TargetDriver } from './target-driver.ts'
import type { TargetTextForm } from './target-reader.ts'

export interface BatchTargetConfig {
  readonly name: string
  readonly address: string
  readonly capabilities: TargetCapabilities
  /** As of a source: `bytes` for a driver that can't give every text as a string, `tagged` for one without integers. Default `string`. */
  readonly textForm?: TargetTextForm | undefined
  readonly open: () => Promise<TargetDriver>
}

export interface SqliteTargetConfig extends Omit<BatchTargetConfig, 'open'> {
  readonly open: () => Promise<SqliteDriver>
}

/** A target dialect from a driver: what `nodeSqliteTarget` and `libsqlTarget` are made of. */
export function sqliteTarget(config: SqliteTargetConfig): TargetDialect {
  return batchTarget({ ...config, open: async () => toTargetDriver(await config.open()) })
}

/** The same from the driver of a host where no transaction stays open: a Durable Object, D1. */
export function batchTarget(config: BatchTargetConfig): TargetDialect {
  return {
    name: config.name,
    address: config.address,
    capabilities: config.capabilities,
    connect: (options) => connect(config, options),
  }
}

async function connect(config: BatchTargetConfig, options: TargetConnectOptions): Promise<TargetConnection> {
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
