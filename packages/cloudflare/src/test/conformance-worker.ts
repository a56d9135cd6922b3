import { CHANGE_CASES, runCase, SOURCE_CASES, STORAGE_CASES, TARGET_CASES, type ConformanceCase, type ConformanceSubject } from '@tidemark/conformance'
import type { S3StorageOptions } from '@tidemark/s3'
import type { D1Database } from '../d1-database.ts'
import type { R2Bucket } from '../storage/r2-bucket.ts'
import { r2Subject } from './r2-subject.ts'
import { s3Subject } from './s3-subject.ts'
import { d1Subject, durableObjectSubject, type ErasableStorage } from './change-subjects.ts'
import { d1SourceSubject, durableObjectSourceSubject } from './source-subjects.ts'
import { d1TargetSubject, durableObjectTargetSubject } from './target-subjects.ts'

interface Environment {
  readonly OBJECTS: { idFromName(name: string): unknown; get(id: unknown): { fetch(request: Request): Promise<Response> } }
  readonly DB: D1Database
  readonly BUCKET: R2Bucket
  /** Of the bucket's S3 API, as JSON. */
  readonly S3: string
}

/** Runs one case in itself. */
export class CaseObject {
  readonly #storage: ErasableStorage

  constructor(context: { readonly storage: ErasableStorage }) {
    this.#storage = context.storage
  }

  fetch(request: Request): Promise<Response> {
    const { pathname } = new URL(request.url)
    if (pathname.startsWith('/object-target/')) return answer(request, TARGET_CASES, durableObjectTargetSubject(this.#storage))
    if (pathname.startsWith('/object-source/')) return answer(request, SOURCE_CASES, durableObjectSourceSubject(this.#storage))
    return answer(request, CHANGE_CASES, durableObjectSubject(this.#storage))
  }
}

/** `/object/CHG-101`, `/object-target/TGT-1` and `/object-source/SRC-1` run a case in an object of that name, `/d1/CHG-101` on the database, `/r2/STO-1` on the bucket, `/s3/STO-1` on it over the network. */
export const worker = {
  async fetch(request: Request, environment: Environment): Promise<Response> {
    const { OBJECTS, DB, BUCKET, S3 } = environment
    const { pathname } = new URL(request.url)
    if (pathname.startsWith('/r2/')) return answer(request, STORAGE_CASES, r2Subject(BUCKET, pathname.slice(1)))
    if (pathname.startsWith('/s3/')) return answer(request, STORAGE_CASES, s3Subject(JSON.parse(S3) as S3StorageOptions, pathname.slice(1))) // as the test wrote it
    if (pathname.startsWith('/d1-target/')) return answer(request, TARGET_CASES, d1TargetSubject(DB))
    if (pathname.startsWith('/d1-source/')) return answer(request, SOURCE_CASES, d1SourceSubject(DB))
    return pathname.startsWith('/d1/') ? answer(request, CHANGE_CASES, d1Subject(DB)) : OBJECTS.get(OBJECTS.idFromName(pathname)).fetch(request)
  },
}

async function answer<Traits, Harness extends AsyncDisposable>(
  request: Request, cases: readonly ConformanceCase<Traits, Harness>[], subject: ConformanceSubject<Traits, Harness>,
): Promise<Response> {
  const id = decodeURIComponent(new URL(request.url).pathname.split('/')[2] ?? '')
  const found = cases.find((one) => one.id === id)
  if (found === undefined) return new Response(`There is no case ${id}.`, { status: 404 })
  try {
    await runCase(found, subject)
    return new Response('passed')
  } catch (error) {
    return new Response(describe(error), { status: 500 })
  }
}

function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const code = 'code' in error ? ` [${String(error.code)}]` : ''
  return `${error.stack ?? error.message}${code}${error.cause === undefined ? '' : `\ncaused by ${describe(error.cause)}`}`
}
