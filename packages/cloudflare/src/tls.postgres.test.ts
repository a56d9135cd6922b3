import { postgresForTests } from '@tidemark/test-servers/vitest'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { TLSSocket } from 'node:tls'
import { afterAll, describe, expect, it } from 'vitest'
import { makeCertificate } from '../../postgres/src/test/certificate.ts'
import { passThrough, startProxy, type ProxyBehaviour } from '../../postgres/src/test/proxy.ts'

const server = await postgresForTests()
const database = await server.createDatabase(`tidemark_worker_tls_${process.pid}`)
const { cert, key } = makeCertificate('localhost')
const other = makeCertificate('localhost')

// What workerd trusts is read from here when the module that starts it is loaded.
const folder = mkdtempSync(join(tmpdir(), 'tidemark-authority-'))
writeFileSync(join(folder, 'authority.pem'), cert)
process.env['NODE_EXTRA_CA_CERTS'] = join(folder, 'authority.pem')
const { startWorker } = await import('./test/start-worker.ts')
const worker = await startWorker('postgres-replica-worker.ts', { durableObjects: { REPLICAS: { className: 'ReplicaObject', useSQLite: true } } }, { usesNode: true })

afterAll(async () => {
  await worker[Symbol.asyncDispose]()
  rmSync(folder, { recursive: true, force: true })
  await database[Symbol.asyncDispose]()
})

/** A server that speaks TLS, with the real one behind it. */
function speaksTls(identity: { readonly cert: string; readonly key: string }): ProxyBehaviour {
  return (client, toServer) => {
    client.once('data', () => {
      client.write('S')
      const secured = new TLSSocket(client, { isServer: true, ...identity })
      secured.on('error', () => undefined)
      passThrough(secured, toServer)
    })
  }
}

const answers = (answer: string): ProxyBehaviour => (client) => void client.once('data', () => client.write(answer))

/** The code of a sync of a table that is not there: it gets as far as the server, or not. */
async function outcome(behaviour: ProxyBehaviour, tls: unknown): Promise<unknown> {
  await using proxy = await startProxy(behaviour)
  const url = proxy.url(database.superuserUrl).replace('127.0.0.1', 'localhost')
  const body = JSON.stringify({ config: { url, tls, connectTimeoutMs: 5_000 }, sourceTable: 'public.missing', trackingColumn: 'id' })
  const response = await worker.runtime.dispatchFetch('http://worker/sync', { method: 'POST', headers: { object: 'tls' }, body })
  return (await response.json() as { readonly code: string }).code // as the worker writes it
}

describe('TLS to PostgreSQL from a Worker', () => {
  it.each<[string, ProxyBehaviour, unknown, string]>([
    ['is spoken with a server of a known authority', speaksTls({ cert, key }), 'verify', 'TABLE_UNKNOWN'],
    ['is refused with a server of an unknown authority', speaksTls(other), 'verify', 'SOURCE_TLS_FAILED TLS_REFUSED'],
    ['is refused for another host name', speaksTls({ cert, key }), { servername: 'db.example' }, 'SOURCE_TLS_FAILED TLS_REFUSED'],
    ['is not given up because the server has none', answers('N'), 'verify', 'SOURCE_TLS_FAILED SSL_REFUSED'],
    ['takes nothing that was said in plaintext after the answer', answers('Sinjected'), 'verify', 'SOURCE_TLS_FAILED SSL_REFUSED'],
    ['has no authorities of the caller\'s own', speaksTls({ cert, key }), { ca: cert }, 'NOT_SUPPORTED'],
    ['is not spoken without verifying', speaksTls({ cert, key }), 'insecure-no-verify', 'NOT_SUPPORTED'],
  ])('%s', async (_, behaviour, tls, expected) => {
    expect(await outcome(behaviour, tls)).toBe(expected)
  })
})
