import { createHmac } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { createReceiver } from '@tidemark/core'
import { expect, it } from 'vitest'
import { nodeSqlitePropagationTarget } from '../node-sqlite-propagation-target.ts'
import { useFolder } from '../test/use-folder.ts'

const path = useFolder()
const SECRET = 'a secret for both sides'
const SPEC = new URL('../../../../docs/spec/propagation.md', import.meta.url)

/** As somebody would who has read the document and nothing else. */
function signature(body: string, seconds: number): string {
  return `t=${seconds},v1=${createHmac('sha256', SECRET).update(`${seconds}.eu-1.${body}`).digest('hex')}`
}

it('does what the document says with the messages that it shows', async () => {
  const blocks = [...readFileSync(SPEC, 'utf8').matchAll(/```json\n(.*?)```/gs)].map(([, text = '']) => text)
  expect(blocks).toHaveLength(4)
  const database = new DatabaseSync(path('b'))
  database.exec('CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT, photo BLOB)')
  await using receive = createReceiver({ target: nodeSqlitePropagationTarget({ path: path('b') }), origin: 'us-1', authorize: { secret: SECRET } })
  const send = async (body: string, seconds = Math.floor(Date.now() / 1_000)): Promise<readonly [status: number, answer: unknown]> => {
    const response = await receive(new Request('https://us-1.example/apply', { method: 'POST', body, headers: { 'tidemark-origin': 'eu-1', 'tidemark-signature': signature(body, seconds) } }))
    return [response.status, await response.json()]
  }
  const [hello = '', chunk = '', unit = '', answer = ''] = blocks
  expect(await send(hello, 1_000_000_000)).toMatchObject([401, { v: 1, error: { code: 'REQUEST_UNAUTHORIZED' } }])
  expect(await send(hello)).toMatchObject([200, { outcome: 'applied', tables: [['users', { state: 'copying', after: null }]] }])
  expect(await send(chunk)).toMatchObject([200, { outcome: 'applied', tables: [['users', { state: 'live' }]] }])
  // The second time it was done already.
  for (const _time of [1, 2]) expect(await send(unit)).toEqual([200, JSON.parse(answer)])
  const rows = database.prepare('SELECT CAST(id AS TEXT) AS id, name, hex(photo) AS photo FROM users').all().map((row) => ({ ...row }))
  database.close()
  expect(rows).toEqual([{ id: '9007199254740993', name: 'Ada', photo: '00FF' }])
})
