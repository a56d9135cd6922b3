import type { PeerFetch } from '@tidemark/core'
import { expect, it } from 'vitest'
import { starbasePeer } from './starbase-peer.ts'

it.each([
  ['https://example.com', 'https://example.com/', 'https://example.com/query'],
  ['https://example.com/db/?key=hidden#hidden', 'https://example.com/db/', 'https://example.com/db/query?key=hidden'],
])('%s is shown without what may be a credential in it, and asked with it', async (url, address, asked) => {
  const urls: string[] = []
  const fetch: PeerFetch = (given) => {
    urls.push(given)
    return Promise.reject(new Error('not here'))
  }
  const peer = starbasePeer({ url, token: 'letmein', fetch })
  expect(peer.address).toBe(address)
  const hello = { type: 'hello', origin: 'a', epoch: 'e', head: { epoch: 'e', sequence: '00', detail: '' }, tables: [], snapshot: true, takesOver: false, isVersioned: false, restarts: undefined } as const
  // Places are made by `toSequence`; this one goes nowhere.
  await expect(peer.send(hello as unknown as Parameters<typeof peer.send>[0], { signal: new AbortController().signal })).rejects.toMatchObject({ code: 'PEER_UNREACHABLE' })
  expect(urls).toEqual([asked])
})
