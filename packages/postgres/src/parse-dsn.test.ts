import { inspect } from 'node:util'
import { describe, expect, it } from 'vitest'
import { addressOf, resolveTarget } from './connect-target.ts'
import { parseDsn } from './parse-dsn.ts'
import type { PostgresConfig } from './postgres-config.ts'

describe('parseDsn', () => {
  it.each([
    ['postgres://u:p@h:5433/d', { user: 'u', password: 'p', host: 'h', port: 5433, database: 'd' }],
    ['postgresql://u%40x:p%2F%3A%40@h/d%20b', { user: 'u@x', password: 'p/:@', host: 'h', port: undefined, database: 'd b' }],
    ['postgres://u@[::1]:5432/d', { user: 'u', password: undefined, host: '::1', port: 5432, database: 'd' }],
    ['postgres:///d?host=/var/run/postgresql&user=u', { user: 'u', host: '/var/run/postgresql', database: 'd' }],
    ['postgres://u:p:q@h', { user: 'u', password: 'p:q', host: 'h', database: undefined }],
    ['postgres://u@h/d?', { user: 'u', host: 'h', database: 'd' }],
  ])('reads %s', (dsn, parts) => {
    expect(parseDsn(dsn)).toMatchObject(parts)
  })

  it.each([
    'postgres://u:canary@h@x/d', 'postgres://u:can/ary@h/d', 'postgres://u:canary%zz@h/d', 'mysql://u:canary@h/d', 'postgres://u:canary@h:99999/d',
    'postgres://u:canary@h:x/d', 'canary', 'postgres://u:canary@h/d?a=%', 'postgres://u:ca?nary@h/d', 'postgres://u:ca#nary@h/d',
  ])('never quotes what it refuses: %s', (dsn) => {
    try {
      parseDsn(dsn)
      expect.unreachable()
    } catch (error) {
      expect(error).toMatchObject({ code: 'CONFIG_INVALID' })
      expect(inspect(error, { depth: Infinity, showHidden: true }).replace(/^ +at .*/gm, '')).not.toMatch(/canary|ca\?nary|can\/ary|ca#nary/)
    }
  })
})

describe('resolveTarget', () => {
  it.each<[PostgresConfig, string]>([
    [{ url: 'postgres://u@db.example/d' }, '"verify"'],
    [{ url: 'postgres://u@db.example/d?sslmode=require' }, '"verify"'],
    [{ url: 'postgres://u@db.example/d?sslmode=disable' }, '"disable"'],
    [{ url: 'postgres://u@127.0.0.1/d' }, '"disable"'],
    [{ url: 'postgres://u@127.0.0.1.example/d' }, '"verify"'],
    [{ url: 'postgres://u@localhost/d?sslmode=verify-full' }, '"verify"'],
    [{ url: 'postgres://u@[::1]/d' }, '"disable"'],
    [{ url: 'postgres://u@/d?host=/tmp' }, '"disable"'],
    [{ url: 'postgres://u@db.example/d?sslmode=disable', tls: 'verify' }, '"verify"'],
    [{ host: 'db.example', user: 'u', database: 'd' }, '"verify"'],
    [{ sql: { options: { host: ['db.example'], port: [1], user: 'u', database: 'd', ssl: 'require' } } }, '"verify"'],
    [{ sql: { options: { host: ['db.example'], port: [1], user: 'u', database: 'd', ssl: false } } }, '"verify"'],
    [{ sql: { options: { host: ['localhost'], port: [1], user: 'u', database: 'd', ssl: false } } }, '"disable"'],
    [{ sql: { options: { host: ['db.example'], port: [1], user: 'u', database: 'd', ssl: { ca: 'pem' } } } }, '{"ca":"pem"}'],
  ])('decides about TLS: %j', async (config, tls) => {
    expect(JSON.stringify((await resolveTarget(config)).tls)).toBe(tls)
  })

  it('names addresses without credentials', () => {
    expect(addressOf({ url: 'postgres://u:p@db.example:5433/d' })).toBe('postgres://db.example:5433/d')
    expect(addressOf({ url: () => 'postgres://u:p@db.example/d' })).toBe('postgres://(by reference)')
    expect(addressOf({ host: '::1', user: 'u', database: 'd' })).toBe('postgres://[::1]/d')
  })

  it('shows no secret when it is inspected', async () => {
    const target = await resolveTarget({ url: 'postgres://u:canary@db.example/d' })
    expect(inspect(target, { depth: Infinity, showHidden: true })).not.toContain('canary')
    expect(JSON.stringify(target)).not.toContain('canary')
  })
})
