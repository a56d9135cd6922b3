import { describe, expect, test } from 'vitest'
import { makeRedact, secretsIn } from './redact.ts'

describe('makeRedact', () => {
  const redact = makeRedact([])

  test.each([
    ['at postgres://u:secret@h/d', 'at postgres://[redacted]@h/d'],
    ['postgres://u:sec@ret@h/d', 'postgres://[redacted]@h/d'],
    ['postgres://u:s/ec?r#et@h', 'postgres://[redacted]@h'],
    ['libsql://h?authToken=secret&x=1', 'libsql://h?authToken=[redacted]&x=1'],
    ['postgres://h/d?user=u&password=secret', 'postgres://h/d?user=u&password=[redacted]'],
    ['postgres://h:5432/d', 'postgres://h:5432/d'],
    ['a@b and 10 rows', 'a@b and 10 rows'],
  ])('%s', (text, redacted) => {
    expect(redact(text)).toBe(redacted)
  })

  test('a known secret goes whatever its form, blanks and quotes included', () => {
    const url = 'postgres://u:a b"c@h/d'
    expect(makeRedact([url])(`The table '${url}' is odd.`)).toBe("The table '[redacted]' is odd.")
    expect(makeRedact(['mysql://u:%40x%20y@h'])('was mysql://u:@x y@h')).toBe('was [redacted]')
  })
})

test('secretsIn takes what holds a credential and leaves the rest', () => {
  const values = ['sync', '--from=postgres://u:p@h/d', 'postgres://h/d', 'libsql://h?authToken=x', 'libsql://h?authToken=y', 'a@b']
  expect(secretsIn(values)).toEqual(['--from=postgres://u:p@h/d', 'libsql://h?authToken=x', 'libsql://h?authToken=y'])
})
