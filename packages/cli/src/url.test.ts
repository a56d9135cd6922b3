import { describe, expect, test } from 'vitest'
import { locateSource, locateTarget } from './url.ts'

describe('locateSource', () => {
  test.each([
    ['postgres://u:p@h/d', 'postgres'], ['postgresql://h/d', 'postgres'], ['mysql://h/d', 'mysql'], ['mariadb://h/d', 'mysql'], ['MySQL://h/d', 'mysql'],
  ])('%s is %s', (url, kind) => {
    expect(locateSource(url, {})).toEqual({ location: { kind, url } })
  })

  test('a reference stays a reference', () => {
    expect(locateSource('env:DB', { DB: 'postgres://u:p@h/d' })).toEqual({ location: { kind: 'postgres', url: { env: 'DB' } } })
  })

  test.each(['', 'secret', 'oracle://u:secret@h/d', 'sqlite:secret.db', 'env:NOT_SET', 'constructor://secret', '//u:secret@h'])('refuses %j without quoting it', (text) => {
    const located = locateSource(text, {})
    expect(located).toHaveProperty('fault')
    expect(JSON.stringify(located)).not.toContain('secret')
  })
})

describe('locateTarget', () => {
  test.each([
    ['replica.db', 'replica.db'], ['/var/lib/a:b.db', '/var/lib/a:b.db'], ['sqlite:replica.db', 'replica.db'], ['file:replica.db', 'replica.db'],
    ['file:///tmp/a%20b.db', '/tmp/a b.db'], ['C:\\data\\replica.db', 'C:\\data\\replica.db'], [':memory:', ':memory:'],
  ])('%s is a file', (text, path) => {
    expect(locateTarget(text)).toEqual({ location: { kind: 'file', path } })
  })

  test.each(['libsql://db.example', 'http://127.0.0.1:8080', 'https://db.example', 'ws://h', 'wss://h'])('%s is a server', (url) => {
    expect(locateTarget(url)).toEqual({ location: { kind: 'libsql', url } })
  })

  test.each([
    'sqlite:', 'file://remote/share.db', 'libsql://h?authToken=secret', 'https://u:secret@h', 'http://', 's3://bucket/secret',
  ])('refuses %j without quoting it', (text) => {
    const located = locateTarget(text)
    expect(located).toHaveProperty('fault')
    expect(JSON.stringify(located)).not.toContain('secret')
  })
})
