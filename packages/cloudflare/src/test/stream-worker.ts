import type { D1Database } from '../d1-database.ts'
import { d1Host, d1Scenarios } from './d1-scenarios.ts'
import { toJson } from './scenario-host.ts'
import { sharedScenarios } from './shared-scenarios.ts'

export { StreamObject } from './stream-object.ts'

interface Environment {
  readonly OBJECTS: { idFromName(name: string): unknown; get(id: unknown): { fetch(request: Request): Promise<Response> } }
  /** A database for each scenario. */
  readonly [database: string]: D1Database | unknown
}

/** `/object-name/action/argument` goes to that object, `/d1/scenario` runs on the database of that name. */
export const worker = {
  async fetch(request: Request, environment: Environment): Promise<Response> {
    const [, place = '', action = ''] = new URL(request.url).pathname.split('/')
    const { OBJECTS } = environment
    if (place !== 'd1') return OBJECTS.get(OBJECTS.idFromName(place)).fetch(request)
    const scenario = d1Scenarios[action] ?? sharedScenarios[action]
    const database = environment[action] as D1Database // bound by the name of the scenario
    return scenario === undefined ? new Response('unknown', { status: 404 }) : new Response(toJson(await scenario(d1Host(database))))
  },
}
