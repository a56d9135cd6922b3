import { TLSSocket } from 'node:tls'
import { describe, expect, it } from 'vitest'
import type { PostgresTls } from './postgres-config.ts'
import { postgresSource } from './postgres-source.ts'
import { makeCertificate } from './test/certificate.ts'
import { passThrough, startProxy, type ProxyBehaviour } from './test/proxy.ts'
import { useTestDatabase } from './test/test-database.ts'

const database = await useTestDatabase('tls')
const { cert, key } = makeCertificate('localhost')

/** A server that speaks TLS, with the real one behind it. */
const speaksTls: ProxyBehaviour = (client, toServer) => {
  client.once('data', () => {
    client.write('S')
    const secured = new TLSSocket(client, { isServer: true, cert, key })
    secured.on('error', () => undefined)
    passThrough(secured, toServer)
  })
}

const answers = (answer: string): ProxyBehaviour => (client) => void client.once('data', () => client.write(answer))

async function outcome(behaviour: ProxyBehaviour, tls: PostgresTls | undefined, parameters = ''): Promise<string> {
  await using proxy = await startProxy(behaviour)
  const url = proxy.url(database.url).replace('127.0.0.1', 'localhost') + parameters
  try {
    const connection = await postgresSource({ url, tls }).connect()
    await connection[Symbol.asyncDispose]()
    return 'connected'
  } catch (error) {
    // Only the code is compared.
    return (error as { code: string }).code
  }
}

describe('TLS', () => {
  it.each<[string, PostgresTls | undefined, string, string]>([
    ['a known authority', { ca: cert }, '', 'connected'],
    ['an unknown authority', 'verify', '', 'SOURCE_TLS_FAILED'],
    ['another host name', { ca: cert, servername: 'db.example' }, '', 'SOURCE_TLS_FAILED'],
    ['an explicit insecure option', 'insecure-no-verify', '', 'connected'],
    ['sslmode=require, which verifies', undefined, '?sslmode=require', 'SOURCE_TLS_FAILED'],
    ['sslmode=prefer, which verifies', undefined, '?sslmode=prefer', 'SOURCE_TLS_FAILED'],
    ['sslmode=verify-full', undefined, '?sslmode=verify-full', 'SOURCE_TLS_FAILED'],
  ])('with %s', async (_, tls, parameters, expected) => {
    expect(await outcome(speaksTls, tls, parameters)).toBe(expected)
  })

  it('is not given up because the server has none', async () => {
    expect(await outcome(answers('N'), 'verify')).toBe('SOURCE_TLS_FAILED')
    expect(await outcome(answers('N'), undefined, '?sslmode=prefer')).toBe('SOURCE_TLS_FAILED')
  })

  it('takes nothing that was said in plaintext after the answer', async () => {
    expect(await outcome(answers('Sinjected'), { ca: cert })).toBe('SOURCE_TLS_FAILED')
  })

  it('is not used towards a loopback address, nor with sslmode=disable', async () => {
    expect(await outcome(passThrough, undefined)).toBe('connected')
    expect(await outcome(passThrough, undefined, '?sslmode=disable')).toBe('connected')
  })
})
