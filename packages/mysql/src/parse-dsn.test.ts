import { inspect } from 'node:util'
import { describe, expect, it } from 'vitest'
import { parseDsn } from './parse-dsn.ts'

describe('parseDsn', () => {
  it('takes every part', () => {
    expect(parseDsn('mysql://re%40der:p%2Fw%3A1@db.example:3307/app?ssl-mode=VERIFY_IDENTITY')).toEqual({
      host: 'db.example', port: 3307, user: 're@der', password: 'p/w:1', database: 'app', tls: 'verify',
    })
    expect(parseDsn('mariadb://[::1]')).toMatchObject({ host: '::1', port: undefined, user: undefined, database: undefined, tls: undefined })
  })

  it('never lowers what a parameter asks for', () => {
    expect(parseDsn('mysql://h/d?ssl-mode=REQUIRED').tls).toBe('verify')
    expect(parseDsn('mysql://h/d?ssl-mode=DISABLED&tls=verify').tls).toBe('verify')
    expect(parseDsn('mysql://h/d?ssl-mode=DISABLED').tls).toBe('disable')
  })

  it.each([
    'mysql://user:hunter2@@host/db', 'mysql://user:hun/ter2@host/db', 'postgres://user:hunter2@host/db', 'mysql://user:hunter2@host:99999/db',
    'mysql://user:hunter2%@host/db', 'mysql://user:hunter2@host/db?ssl={"rejectUnauthorized":false}', 'mysql://user:hunter2@host/db?constructor=name', 'hunter2',
  ])('refuses without quoting: %#', (dsn) => {
    let caught: unknown
    try {
      parseDsn(dsn)
    } catch (error) {
      caught = error
    }
    expect(caught).toMatchObject({ code: 'CONFIG_INVALID' })
    expect(inspect(caught, { depth: Infinity, showHidden: true })).not.toMatch(/hunter2|hun\/ter2/u)
  })
})
