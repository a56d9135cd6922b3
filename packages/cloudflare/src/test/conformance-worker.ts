import { CHANGE_CASES, runCase, type ChangeSubject } from '@tidemark/conformance'
import type { D1Database } from '../d1-database.ts'
import { d1Subject, durableObjectSubject, type ErasableStorage } from './change-subjects.ts'

interface Environment {
  readonly OBJECTS: { idFromName(name: string): unknown; get(id: unknown): { fetch(request: Request): Promise<Response> } }
  readonly DB: D1Database
}

/** Runs one case in itself. */
export class CaseObject {
  readonly #storage: ErasableStorage

  constructor(context: { readonly storage: ErasableStorage }) {
    this.#storage = context.storage
  }

  fetch(request: Request): Promise<Response> {
    return answer(request, durableObjectSubject(this.#storage))
  }
}

/** `/object/CHG-101` runs a case in an object of that name, `/d1/CHG-101` on the database. */
export const worker = {
  async fetch(request: Request, environment: Environment): Promise<Response> {
    const { OBJECTS, DB } = environment
    const { pathname } = new URL(request.url)
    return pathname.startsWith('/d1/') ? answer(request, d1Subject(DB)) : OBJECTS.get(OBJECTS.idFromName(pathname)).fetch(request)
  },
}

async function answer(request: Request, subject: ChangeSubject): Promise<Response> {
  const id = decodeURIComponent(new URL(request.url).pathname.split('/')[2] ?? '')
  const found = CHANGE_CASES.find((one) => one.id === id)
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
