import { CHANGE_CASES, selectCases, SOURCE_CASES, STORAGE_CASES, TARGET_CASES, type ConformanceCase, type ConformanceSubject } from '@tidemark/conformance'
import { Miniflare } from 'miniflare'
import { afterAll, beforeAll, describe, test } from 'vitest'
import { d1Subject, durableObjectSubject } from './test/change-subjects.ts'
import { r2Subject } from './test/r2-subject.ts'
import { s3Subject } from './test/s3-subject.ts'
import { d1SourceSubject, durableObjectSourceSubject } from './test/source-subjects.ts'
import { d1TargetSubject, durableObjectTargetSubject } from './test/target-subjects.ts'
import { startWorker, type StartedWorker } from './test/start-worker.ts'

/** Asked for its traits only: the cases run inside of workerd. */
const UNUSED = undefined as never

const CREDENTIALS = { accessKeyId: 'test-key', secretAccessKey: 'test-secret-of-the-bucket' }
const S3 = { ...CREDENTIALS, bucket: 'bucket', region: 'auto', capabilities: { listsUploads: false, conditionalPut: true } }

let bucket: Miniflare
let worker: StartedWorker
beforeAll(async () => {
  // Of another server: what a Worker asks for by the network is not in its own process.
  bucket = new Miniflare({ modules: true, script: 'export default { fetch: () => new Response("") }', compatibilityDate: '2026-07-01', r2Buckets: { BUCKET: { id: S3.bucket, s3Credentials: CREDENTIALS } } })
  const endpoint = `${(await bucket.ready).origin}/cdn-cgi/local/r2/s3`
  worker = await startWorker('conformance-worker.ts', {
    durableObjects: { OBJECTS: { className: 'CaseObject', useSQLite: true } }, d1Databases: ['DB'], r2Buckets: ['BUCKET'], bindings: { S3: JSON.stringify({ ...S3, endpoint }) },
  })
})
afterAll(async () => {
  await worker[Symbol.asyncDispose]()
  await bucket.dispose()
})

interface Place<Traits, Harness extends AsyncDisposable> {
  /** The worker's path for it. */
  readonly path: 'object' | 'object-target' | 'object-source' | 'd1' | 'd1-target' | 'd1-source' | 'r2' | 's3'
  readonly title: string
  readonly cases: readonly ConformanceCase<Traits, Harness>[]
  readonly subject: ConformanceSubject<Traits, Harness>
}

function describeIn<Traits, Harness extends AsyncDisposable>({ path, title, cases, subject }: Place<Traits, Harness>): void {
  describe(`${title}: ${subject.name}`, () => {
    for (const { case: one, applies } of selectCases(cases, subject.traits)) {
      test(`${one.id} ${one.title}`, async (context) => {
        if (applies !== true) context.skip(applies)
        await worker.ask(`/${path}/${encodeURIComponent(one.id)}`)
      })
    }
  })
}

describeIn({ path: 'object', title: 'changes', cases: CHANGE_CASES, subject: durableObjectSubject(UNUSED) })
describeIn({ path: 'd1', title: 'changes', cases: CHANGE_CASES, subject: d1Subject(UNUSED) })
describeIn({ path: 'object-target', title: 'target', cases: TARGET_CASES, subject: durableObjectTargetSubject(UNUSED) })
describeIn({ path: 'd1-target', title: 'target', cases: TARGET_CASES, subject: d1TargetSubject(UNUSED) })
describeIn({ path: 'object-source', title: 'source', cases: SOURCE_CASES, subject: durableObjectSourceSubject(UNUSED) })
describeIn({ path: 'd1-source', title: 'source', cases: SOURCE_CASES, subject: d1SourceSubject(UNUSED) })
describeIn({ path: 'r2', title: 'storage', cases: STORAGE_CASES, subject: r2Subject(UNUSED, 'unused') })
describeIn({ path: 's3', title: 'storage', cases: STORAGE_CASES, subject: s3Subject(S3, 'unused') })
