import { randomBytes } from 'node:crypto'
import type { TestServer } from '../server.ts'
import { Container } from '../system/container.ts'
import { POSTGRES_SETTINGS, settingArgs, type PostgresSettings } from './postgres-settings.ts'
import { finishPostgres, probePostgres } from './postgres-setup.ts'
import type { StartablePostgresVersion } from './postgres-versions.ts'

/** A PostgreSQL server of our own in a container of the official image. */
export async function startContainerPostgres(version: StartablePostgresVersion, settings?: PostgresSettings): Promise<TestServer> {
  const password = randomBytes(12).toString('hex')
  const superuserUrl = (host: string, port: number): string => `postgres://postgres:${password}@${host}:${port}/postgres`
  const container = await Container.start({
    image: `postgres:${version}`,
    port: 5432,
    env: { POSTGRES_PASSWORD: password },
    command: ['postgres', ...settingArgs({ ...POSTGRES_SETTINGS, ...settings })],
    probe: (host, port) => probePostgres(superuserUrl(host, port)),
  })
  return await finishPostgres(container, { origin: 'docker', superuserUrl: superuserUrl(container.host, container.port) })
}
