import { Webhook } from 'standardwebhooks'
import { describe, expect, it } from 'vitest'
import { signCallback } from './sign-callback.ts'

const SECRET = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'
const message = { id: 'msg_1', timestamp: Math.floor(Date.now() / 1_000), body: '{"status":"completed"}' }

describe('signCallback', () => {
  it('is accepted by the reference library of Standard Webhooks', async () => {
    const headers = await signCallback(message, SECRET)
    expect(new Webhook(SECRET).verify(message.body, { ...headers })).toEqual({ status: 'completed' })
  })

  it('is refused by it for another body', async () => {
    const headers = await signCallback(message, SECRET)
    expect(() => new Webhook(SECRET).verify('{"status":"failed"}', { ...headers })).toThrow()
  })

  it.each(['', 'whsec_', 'whsec_c2hvcnQ=', 'not base64 at all!'])('refuses %j as a key', async (secret) => {
    await expect(signCallback(message, secret)).rejects.toMatchObject({ code: 'SECRET_MISSING' })
  })
})
