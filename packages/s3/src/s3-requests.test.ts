import { inspect } from 'node:util'
import { describe, expect, it } from 'vitest'
import { s3Storage } from './s3-storage.ts'
import { answers, fails, scriptedServer } from './test/scripted-server.ts'

describe('what is sent', () => {
  it('has the digest of its body, and wants no compression', async () => {
    await using server = await scriptedServer(answers(''))
    await s3Storage(server.options).put('a', new TextEncoder().encode('abc'), { metadata: { 'export-id': 'x' } })
    const [put] = server.seen
    expect(put?.headers).toMatchObject({
      'x-amz-content-sha256': 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad', 'accept-encoding': 'identity', 'x-amz-meta-export-id': 'x',
    })
    expect(put?.headers.authorization).toMatch(/SignedHeaders=host;x-amz-content-sha256;x-amz-date;x-amz-meta-export-id,/)
  })

  it('has every segment of the path in hex but for what needs none', async () => {
    await using server = await scriptedServer(answers(''))
    await s3Storage({ ...server.options, prefix: 'p q' }).delete('a+b %2f/ü?#&=*\'()!~')
    expect(server.seen.map(({ path }) => path)).toEqual(['/bucket/p%20q/a%2Bb%20%252f/%C3%BC%3F%23%26%3D%2A%27%28%29%21~'])
  })

  it('goes to the bucket by its name as a host, or in the path', async () => {
    const urls: string[] = []
    const record: typeof fetch = (url) => {
      urls.push(String(url))
      return Promise.resolve(new Response(null, { status: 204 }))
    }
    const credentials = { accessKeyId: 'key', secretAccessKey: 'secret', bucket: 'b', fetch: record }
    for (const place of [{}, { region: 'eu-central-1' }, { endpoint: 'https://h:9000/base/' }, { endpoint: 'https://h', pathStyle: false }, { pathStyle: true }, { bucket: 'a.b' }, { region: 'cn-north-1' }]) await s3Storage({ ...credentials, ...place }).delete('k')
    expect(urls).toEqual(['https://b.s3.us-east-1.amazonaws.com/k', 'https://b.s3.eu-central-1.amazonaws.com/k', 'https://h:9000/base/b/k', 'https://b.h/k', 'https://s3.us-east-1.amazonaws.com/b/k', 'https://s3.us-east-1.amazonaws.com/a.b/k', 'https://b.s3.cn-north-1.amazonaws.com.cn/k'])
  })

  it('has the token of temporary credentials, and a secret that is looked up each time', async () => {
    await using server = await scriptedServer(answers(''))
    let asked = 0
    const secretAccessKey = (): string => `secret ${asked += 1}`
    const storage = s3Storage({ ...server.options, secretAccessKey, sessionToken: 'session-value' })
    await storage.delete('a')
    await storage.delete('a')
    expect(server.seen[0]?.headers).toMatchObject({ 'x-amz-security-token': 'session-value' })
    expect(server.seen[0]?.headers.authorization).toContain('x-amz-security-token')
    expect(asked).toBe(2)
    expect(new URL(await storage.presignGet?.('a', { expiresInMs: 1_000 }) ?? '').searchParams.get('X-Amz-Security-Token')).toBe('session-value')
  })
})

describe('a put', () => {
  it('is one request, where its answer says enough', async () => {
    for (const [headers, methods] of [[{}, ['PUT']], [{ etag: '' }, ['PUT', 'HEAD']]] as const) {
      await using server = await scriptedServer(answers('', headers), answers('', { 'content-length': '3' }))
      const object = await s3Storage(server.options).put('a', new Uint8Array(3), { metadata: { 'export-id': 'x' } })
      expect(object).toMatchObject({ key: 'a', bytes: 3, etag: '"1"' })
      expect(server.seen.map(({ method }) => method)).toEqual(methods)
    }
  })
})

describe('a secret', () => {
  it('is in nothing that can be printed', async () => {
    await using server = await scriptedServer(fails(403, 'SignatureDoesNotMatch'))
    const storage = s3Storage({ ...server.options, sessionToken: 'hidden-value' })
    const error: unknown = await storage.put('a', new Uint8Array(1)).catch((caught: unknown) => caught)
    const texts = [storage, error].map((value) => inspect(value, { depth: 20, showHidden: true, getters: true }) + JSON.stringify(value) + String(value))
    expect(texts.join('\n')).not.toContain('hidden-value')
    expect(inspect(error)).not.toContain('AWS4-HMAC')
  })
})

describe('a list', () => {
  it('is read as it is written, entities and all', async () => {
    const entry = (key: string, size: number): string => `<Contents><Key>${key}</Key><LastModified>2026-01-01T00:00:00.000Z</LastModified><ETag>&quot;1&quot;</ETag><Size>${size}</Size><Owner><ID>x</ID></Owner></Contents>`
    await using server = await scriptedServer(answers(`<?xml version="1.0"?>\n<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Name>bucket</Name><Prefix>p/</Prefix><IsTruncated>true</IsTruncated>`
      + `${entry('p/a&amp;b&lt;c&gt;&#x2B;&#233;&apos;&amp;lt;', 3)}${entry('p/z', 0)}<NextContinuationToken>t&amp;o+=/</NextContinuationToken></ListBucketResult>`))
    const storage = s3Storage({ ...server.options, prefix: 'p' })
    const page = await storage.list({ prefix: '' })
    expect(page).toEqual({
      objects: [
        { key: 'a&b<c>+é\'&lt;', bytes: 3, etag: '"1"', metadata: {}, modifiedAtMs: Date.UTC(2026, 0) },
        { key: 'z', bytes: 0, etag: '"1"', metadata: {}, modifiedAtMs: Date.UTC(2026, 0) },
      ],
      next: 't&o+=/',
    })
    await storage.list({ prefix: 'a b', after: page.next, limit: 5 })
    expect(server.seen.at(-1)?.path).toBe('/bucket/?list-type=2&prefix=p%2Fa%20b&max-keys=5&continuation-token=t%26o%2B%3D%2F')
  })
})
