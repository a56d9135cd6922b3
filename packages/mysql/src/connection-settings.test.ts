import { inspect } from 'node:util'
import { describe, expect, it } from 'vitest'
import { readConfig } from './connection-settings.ts'

const VERIFIED = { rejectUnauthorized: true, verifyIdentity: true }

describe('readConfig', () => {
  it.each(['localhost', '127.0.0.1', '127.8.8.8', '::1'])('speaks plaintext to %s by default', async (host) => {
    expect((await readConfig({ host }).settings()).ssl).toBeUndefined()
  })

  it.each(['db.example', '10.0.0.1', 'localhost.evil.example', '127.0.0.1.evil.example', '0.0.0.0'])('verifies %s by default', async (host) => {
    expect((await readConfig({ host }).settings()).ssl).toMatchObject(VERIFIED)
    expect((await readConfig({ url: `mysql://${host}/app` }).settings()).ssl).toMatchObject(VERIFIED)
    expect((await readConfig({ connection: { config: { host } } }).settings()).ssl).toMatchObject(VERIFIED)
  })

  it('leaves TLS out or unverified only when told to', async () => {
    expect((await readConfig({ host: 'db.example', tls: 'disable' }).settings()).ssl).toBeUndefined()
    expect((await readConfig({ host: 'db.example', tls: 'insecure-no-verify' }).settings()).ssl).toMatchObject({ rejectUnauthorized: false })
    expect((await readConfig({ host: 'localhost', tls: { ca: 'PEM' } }).settings()).ssl).toMatchObject({ ...VERIFIED, ca: 'PEM' })
  })

  it('checks the host where the application\'s own TLS settings verify the certificate', async () => {
    const config = { host: 'db.example', ssl: { ca: 'PEM', rejectUnauthorized: true } }
    expect((await readConfig({ pool: { config: { connectionConfig: config } } }).settings()).ssl).toEqual({ ca: 'PEM', ...VERIFIED })
  })

  it('finds the settings inside promise pools', async () => {
    const pool = { pool: { config: { connectionConfig: { host: '127.0.0.1', port: 3307, user: 'u', password: 'p', database: 'd' } } } }
    expect(await readConfig({ pool }).settings()).toMatchObject({ port: 3307, user: 'u', password: 'p', database: 'd' })
  })

  it('shows no secret in the address or in the object', () => {
    const identity = readConfig({ url: 'mysql://user:hunter2@db.example:3307/app' })
    expect(identity.address).toBe('mysql://db.example:3307/app')
    expect(inspect(readConfig({ host: 'h', password: 'hunter2' }), { depth: Infinity, showHidden: true })).not.toContain('hunter2')
  })

  it('resolves secrets for each connection', async () => {
    let asked = 0
    const identity = readConfig({ host: 'localhost', password: async () => `secret-${++asked}` })
    expect((await identity.settings()).password).toBe('secret-1')
    expect((await identity.settings()).password).toBe('secret-2')
    await expect(readConfig({ url: { env: 'TIDEMARK_NOT_SET' } }).settings()).rejects.toMatchObject({ code: 'SECRET_MISSING' })
  })

  it('refuses what it does not know', () => {
    // A JavaScript caller has no type checker.
    expect(() => readConfig({ host: 'db.example', tls: 'prefer' as 'verify' })).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID' }))
    expect(() => readConfig({ pool: {} })).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID' }))
    expect(() => readConfig({ host: 'h', queryTimeoutMs: 0 })).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID' }))
  })
})
