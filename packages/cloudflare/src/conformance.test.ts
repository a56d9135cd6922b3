import { CHANGE_CASES, selectCases, type ChangeSubject } from '@tidemark/conformance'
import { afterAll, beforeAll, describe, test } from 'vitest'
import { d1Subject, durableObjectSubject } from './test/change-subjects.ts'
import { startWorker, type StartedWorker } from './test/start-worker.ts'

/** Asked for its traits only: the cases run inside of workerd. */
const UNUSED = undefined as never

let worker: StartedWorker
beforeAll(async () => {
  worker = await startWorker('conformance-worker.ts', { durableObjects: { OBJECTS: { className: 'CaseObject', useSQLite: true } }, d1Databases: ['DB'] })
})
afterAll(() => worker[Symbol.asyncDispose]())

function describeIn(place: 'object' | 'd1', subject: ChangeSubject): void {
  describe(`changes: ${subject.name}`, () => {
    for (const { case: one, applies } of selectCases(CHANGE_CASES, subject.traits)) {
      test(`${one.id} ${one.title}`, async (context) => {
        if (applies !== true) context.skip(applies)
        await worker.ask(`/${place}/${encodeURIComponent(one.id)}`)
      })
    }
  })
}

describeIn('object', durableObjectSubject(UNUSED))
describeIn('d1', d1Subject(UNUSED))
