import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startWorker, type StartedWorker } from './test/start-worker.ts'

const ALL = Array.from({ length: 2_000 }, (_, index) => [index + 1, index + 1])

let worker: StartedWorker
let folder: string
async function start(): Promise<void> {
  worker = await startWorker('replica-worker.ts', {
    durableObjects: { OBJECTS: { className: 'ReplicaObject', useSQLite: true } }, d1Databases: ['DB'], durableObjectsPersist: join(folder, 'objects'), d1Persist: join(folder, 'd1'),
  })
}
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'tidemark-replica-'))
  await start()
  await worker.ask('/fill')
})
afterAll(async () => {
  await worker[Symbol.asyncDispose]()
  rmSync(folder, { recursive: true, force: true })
})

interface Step {
  readonly phase: string
  readonly loadedRows?: number
  readonly down?: string
}

async function step(object: string): Promise<Step> {
  return JSON.parse(await worker.ask(`/${object}/step`)) as Step
}

describe('a replica in an object, a slice at a time', () => {
  it('is complete though the object is ended in the middle of each slice, and by itself after it', async () => {
    let kills = 0
    for (let phase = 'new', calls = 0; phase !== 'live'; calls += 1) {
      await worker.ask('/killed/kill').catch(() => { kills += 1 })
      phase = (await step('killed')).phase
      expect(calls).toBeLessThan(40)
    }
    expect(kills).toBeGreaterThan(3)
    expect(JSON.parse(await worker.ask('/killed/rows'))).toEqual(ALL)
  })

  it('goes on in another process from where the one before stopped, and tells of the source that is down', async () => {
    const loaded: number[] = []
    for (let phase = 'new', calls = 0; phase !== 'live'; calls += 1) {
      const answer = await step('moved')
      phase = answer.phase
      loaded.push(answer.loadedRows ?? 0)
      if (calls === 0) expect(answer.down).toBe('SOURCE_UNREACHABLE')
      if (calls === 2 || calls === 4) {
        await worker[Symbol.asyncDispose]()
        await start()
      }
      expect(calls).toBeLessThan(40)
    }
    expect(loaded.filter((rows) => rows > 0).length).toBeGreaterThan(1)
    expect(JSON.parse(await worker.ask('/moved/rows'))).toEqual(ALL)
  })

  it('holds up no other job of the same alarm, however long its source takes', async () => {
    expect(JSON.parse(await worker.ask('/alarms/run'))).toEqual({ ticks: 5, rows: 2_000 })
  })
})
