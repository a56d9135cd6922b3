import { createReceiver, httpPeer, Propagator } from '@tidemark/core'
import { CELLS, cellsOf } from '../cells.ts'
import { tell } from '../tell.ts'
import { peerFetch, type StoryHost } from '../story-host.ts'
import type { ToldParts } from '../told.ts'

const TOKEN = 'token-of-the-story'

/** What is there, and then what is written, on another instance behind the runtime's own server. */
export async function propagate(host: StoryHost): Promise<ToldParts> {
  return { 'over HTTP': await tell(() => toPeer(host)) }
}

async function toPeer(host: StoryHost): Promise<unknown> {
  const [app, peer] = [host.database('app'), host.database('peer')]
  await peer.run(CELLS[0] ?? '')
  await using receive = createReceiver({ target: peer.propagationTarget(), authorize: { token: TOKEN } })
  await using server = await host.serve(receive)
  await using propagator = new Propagator({
    source: app.changes(['cells']), origin: 'app', peers: [httpPeer({ url: `${server.url}/apply`, token: TOKEN, name: 'peer', fetch: peerFetch(server) })],
  })
  const { behind: first } = await propagator.flush()
  for (const sql of ['UPDATE cells SET value = 9007199254740995 WHERE id = 3', 'DELETE FROM cells WHERE id = 11', `INSERT INTO cells VALUES (30, 'propagated', x'01')`]) await app.run(sql)
  const { behind: second } = await propagator.flush()
  return { behind: [...first, ...second], rows: await cellsOf(peer) }
}
