import { get } from 'node:http'
import type { FeedClientsRequest } from './feed-clients.ts'

const MARK = Buffer.from('event: change\n')

interface Follower {
  readonly connected: Promise<void>
  readonly done: Promise<void>
}

/** The process of `FeedClients`: counts changes without making anything of them. */
const { url, clients, changes } = JSON.parse(process.argv[2] ?? '{}') as FeedClientsRequest // written by FeedClients
const kept: Buffer[] = []

interface Settled {
  readonly promise: Promise<void>
  readonly resolve: () => void
  readonly reject: (error: Error) => void
}

function pending(): Settled {
  let [resolve, reject]: [() => void, (error: Error) => void] = [() => undefined, () => undefined]
  const promise = new Promise<void>((onDone, onError) => { [resolve, reject] = [onDone, onError] })
  return { promise, resolve, reject }
}

function follow(index: number): Follower {
  const [connected, done] = [pending(), pending()]
  get(url, { headers: { authorization: 'Bearer bench' }, agent: false }, (answer) => {
    let [seen, rest] = [0, Buffer.alloc(0)]
    if (answer.statusCode === 200) connected.resolve()
    else connected.reject(new Error(`Answered with ${answer.statusCode ?? 'nothing'}.`))
    answer.on('data', (chunk: Buffer) => {
      if (index === 0) kept.push(chunk)
      const bytes = Buffer.concat([rest, chunk])
      let end = 0
      for (let at = bytes.indexOf(MARK); at !== -1; at = bytes.indexOf(MARK, end)) {
        seen += 1
        end = at + MARK.length
      }
      rest = bytes.subarray(Math.max(end, bytes.length - MARK.length + 1))
      if (seen >= changes) done.resolve()
    })
  }).on('error', (error) => connected.reject(error))
  return { connected: connected.promise, done: done.promise }
}

const followers = Array.from({ length: clients }, (_, index) => follow(index))
await Promise.all(followers.map(({ connected }) => connected))
process.send?.('connected')
await Promise.all(followers.map(({ done }) => done))
process.send?.(Buffer.concat(kept).toString())
