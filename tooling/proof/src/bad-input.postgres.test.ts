import { postgresForTests } from '@tidemark/test-servers/vitest'
import { describe, expect, it } from 'vitest'
import { postgresFixture } from './fixtures/postgres-fixture.ts'
import { openReplica } from './fixtures/replica.ts'
import { replicate } from './fixtures/replicate.ts'
import { badInputTests } from './scenarios/bad-input.ts'

const server = await postgresForTests()

describe('bad input, PostgreSQL', () => {
  badInputTests(() => postgresFixture(server))

  it('a revoked SELECT is an error, with the cursor unmoved', async () => {
    await using source = await postgresFixture(server)
    using replica = openReplica()
    await source.execute('CREATE TABLE users (id bigint PRIMARY KEY, email text)')
    await source.execute("INSERT INTO users VALUES (1, 'a')")
    await using replicator = replicate(source, replica, { table: 'users' })
    await replicator.syncNow('users')
    const [before] = await replicator.status()
    await source.execute('REVOKE ALL ON users FROM current_user')
    await expect(replicator.syncNow('users')).rejects.toMatchObject({ code: 'SOURCE_PERMISSION_DENIED', remedy: expect.stringContaining('SELECT') as string })
    expect((await replicator.status())[0]?.lastSyncValue).toBe(before?.lastSyncValue)
  })
})
