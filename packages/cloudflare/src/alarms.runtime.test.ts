import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startWorker, type StartedWorker } from './test/start-worker.ts'

let worker: StartedWorker
beforeAll(async () => {
  worker = await startWorker('alarm-worker.ts', { durableObjects: { OBJECTS: { className: 'AlarmObject', useSQLite: true } } })
})
afterAll(() => worker[Symbol.asyncDispose]())

describe('the one alarm of an object', () => {
  it('serves many jobs: none is lost, and one that fails delays none', async () => {
    const { log, left } = JSON.parse(await worker.ask('/jobs')) as { readonly log: readonly string[]; readonly left: readonly string[] }
    const count = (name: string): number => log.filter((entry) => entry === name).length
    expect(['first', 'second', 'asking', 'failing', 'failing failed'].map(count)).toEqual([3, 3, 2, 1, 1])
    expect(left).toEqual(['dropped', 'failing'])
  })

  it('calls a job whose time is no whole millisecond', async () => {
    expect(await worker.ask('/object/fractions')).toBe('called')
  })

  it('keeps a wake-up that was asked for at the time at which the job would be tried again', async () => {
    expect(await worker.ask('/object/retried')).toBe('kept')
  })

  it('refuses a name that nobody answers to', async () => {
    expect(await worker.ask('/object/unknown')).toBe('NAME_UNKNOWN')
  })
})
