import { inspect } from 'node:util'
import { describe, expect, it } from 'vitest'
import { makeSecret } from './secret.ts'

describe('makeSecret', () => {
  it('never shows the value', () => {
    const secret = makeSecret('hunter2', 'password')
    const shown = [inspect(secret, { depth: Infinity, showHidden: true }), JSON.stringify({ secret }), `${String(secret)}`]
    for (const text of shown) {
      expect(text).not.toContain('hunter2')
      expect(text).toContain('[redacted]')
    }
  })

  it('reads the environment when asked, not before', async () => {
    const secret = makeSecret({ env: 'TIDEMARK_TEST_SECRET' }, 'password')
    await expect(secret.reveal()).rejects.toMatchObject({ code: 'SECRET_MISSING' })
    process.env['TIDEMARK_TEST_SECRET'] = 'later'
    await expect(secret.reveal()).resolves.toBe('later')
    delete process.env['TIDEMARK_TEST_SECRET']
  })

  it('drops what a secret function throws', async () => {
    const secret = makeSecret(() => Promise.reject(new Error('hunter2 was refused')), 'password')
    const error: unknown = await secret.reveal().catch((caught: unknown) => caught)
    expect(error).toMatchObject({ code: 'SECRET_MISSING' })
    expect(inspect(error, { depth: Infinity, showHidden: true })).not.toContain('hunter2')
  })
})
