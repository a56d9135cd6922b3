import { Replicator, TidemarkError, type ReplicatorOptions } from '@tidemark/core'
import { nodeSqliteTarget } from '@tidemark/node'
import { postgresSource } from '@tidemark/postgres'
import { describe, expect, it } from 'vitest'

const source = postgresSource({ url: 'postgres://user:hunter2@127.0.0.1:1/db' })
const target = nodeSqliteTarget({ path: ':memory:' })
const users = { name: 'users', source, sourceTable: 'public.users' }

function issuesOf(options: Partial<ReplicatorOptions>): readonly string[] {
  try {
    void new Replicator({ target, ...options })
    return []
  } catch (error) {
    if (!(error instanceof TidemarkError)) throw error
    expect(error.code).toBe('CONFIG_INVALID')
    return error.issues.map(({ path }) => path)
  }
}

describe('wrong options', () => {
  it.each<[string, Partial<ReplicatorOptions>, readonly string[]]>([
    ['a negative interval', { replications: [{ ...users, syncIntervalMinutes: -1 }] }, ['replications[0].syncIntervalMinutes']],
    ['an interval of zero', { replications: [{ ...users, syncIntervalMinutes: 0 }] }, ['replications[0].syncIntervalMinutes']],
    ['an interval and a schedule', { replications: [{ ...users, syncIntervalMinutes: 5, schedule: '* * * * *' }] }, ['replications[0].schedule']],
    ['a schedule that is none', { replications: [{ ...users, schedule: 'soon' }] }, ['replications[0].schedule']],
    ['an empty name', { replications: [{ ...users, name: '' }] }, ['replications[0].name']],
    ['a NUL in a name', { replications: [{ ...users, sourceTable: 'us\0ers' }] }, ['replications[0].sourceTable']],
    ['a source table name too long for PostgreSQL', { replications: [{ ...users, sourceTable: 'x'.repeat(70) }] }, ['replications[0].sourceTable']],
    ['two replications of one name', { replications: [users, { ...users, targetTable: 'other' }] }, ['replications[1].name']],
    ['two replications into one table', { replications: [users, { ...users, name: 'again', targetTable: 'USERS' }] }, ['replications[1].targetTable']],
    ['a target table among our own', { replications: [{ ...users, targetTable: 'Tidemark_meta' }] }, ['replications[0].targetTable']],
    ['a target table that SQLite reserves', { replications: [{ ...users, targetTable: 'sqlite_x' }] }, ['replications[0].targetTable']],
    ['an unknown option', { replications: [{ ...users, colums: ['id'] } as never] }, ['replications[0].colums']],
    ['a prefix that is no identifier', { tablePrefix: 'a-b' }, ['tablePrefix']],
    ['no worker at all', { concurrency: 0 }, ['concurrency']],
    ['faults all over', { leaseTtlMs: -1, replications: [{ ...users, settleGraceMs: -5, mode: 'stream' as never }, { ...users, name: 'b', key: [] }] },
      ['leaseTtlMs', 'replications[0].mode', 'replications[0].settleGraceMs', 'replications[1].key']],
  ])('%s: all faults are listed by path', (_title, options, paths) => {
    expect(issuesOf(options)).toEqual(paths)
  })

  it('say nothing when they are right', () => {
    expect(issuesOf({ replications: [users, { ...users, name: 'other', targetTable: 'other', schedule: 'manual' }] })).toEqual([])
  })

  it('are refused by configure too, and change nothing', async () => {
    await using replicator = new Replicator({ target, replications: [users] })
    await expect(replicator.configure({ ...users, name: 'second' })).rejects.toMatchObject({ code: 'CONFIG_INVALID' })
    expect((await replicator.status()).map(({ name }) => name)).toEqual(['users'])
  })

  it('of a name nobody knows are refused', async () => {
    await using replicator = new Replicator({ target, replications: [users] })
    for (const call of [() => replicator.syncNow('x'), () => replicator.pause('x'), () => replicator.resync('x'), () => replicator.remove('x'), () => replicator.doctor('x')]) {
      await expect(call()).rejects.toMatchObject({ code: 'NAME_UNKNOWN' })
    }
    await expect(replicator.logs({ limit: 0 })).rejects.toMatchObject({ code: 'CONFIG_INVALID' })
  })
})
