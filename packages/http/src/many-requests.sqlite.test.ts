import { expect, it } from 'vitest'
import { makeWorld } from './test/world.ts'

it('answers a thousand requests at once', async () => {
  await using world = await makeWorld()
  const paths = ['/health', '/data-replication/status', '/data-replication/logs', '/export', '/metrics', '/peers', '/openapi.json', '/', '/nothing', '/export/status/x']
  const statuses = await Promise.all(Array.from({ length: 1_000 }, async (_, index) => {
    const answer = await world.ask(paths[index % paths.length] ?? '/', { as: 'read' })
    await answer.arrayBuffer()
    return answer.status
  }))
  expect(Object.fromEntries([200, 404].map((status) => [status, statuses.filter((one) => one === status).length]))).toEqual({ 200: 800, 404: 200 })
})
