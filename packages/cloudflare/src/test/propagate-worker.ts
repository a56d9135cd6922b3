import { applyOnD1, type Environment } from './propagate-object.ts'

export { PropagateObject } from './propagate-object.ts'

/** `/source/…` and `/replica/…` are objects; `/d1/sql` runs a statement on the database. */
export const worker = {
  async fetch(request: Request, environment: Environment): Promise<Response> {
    const { OBJECTS, D1 } = environment
    const [, place = '', action = ''] = new URL(request.url).pathname.split('/')
    if (place !== 'd1') return OBJECTS.get(OBJECTS.idFromName(place)).fetch(new Request(`https://${place}/${action}`, request))
    if (action === 'apply') return applyOnD1(environment, request)
    const results = []
    for (const sql of (await request.text()).split(';\n')) results.push(await D1.prepare(sql).raw())
    return Response.json(results.at(-1))
  },
}
