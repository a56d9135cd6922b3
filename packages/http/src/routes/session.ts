import * as v from 'valibot'
import { mayDo } from '../access/check-access.ts'
import { SCOPES } from '../access/scope.ts'
import { jsonAnswer } from '../answers/json-answer.ts'
import { defineRoute } from '../route.ts'

export const sessionRoute = defineRoute({
  method: 'GET', path: '/session', scope: 'read', id: 'session', head: true,
  summary: 'What the caller may do, and what this handler has',
  answers: {
    200: {
      description: 'Scopes, and capabilities that were given.',
      schema: v.object({
        scopes: v.array(v.picklist(SCOPES)),
        capabilities: v.array(v.picklist(['replicator', 'exporter', 'importer', 'streams', 'propagator', 'receiver'])),
        streams: v.array(v.string()),
        /** What `POST /data-replication/configure` may name, to who may send it; `isFixed`: nothing else can be said of it. */
        sources: v.array(v.object({ name: v.string(), isFixed: v.boolean() })),
      }),
    },
  },
  handle: async ({ request, context }) => {
    const { authorize, replicator, exporter, importer, streams, propagator, receiver, sources } = context
    const granted = await Promise.all(SCOPES.map((scope) => mayDo(authorize, { request, scope, route: 'GET /session' })))
    const capabilities = { replicator, exporter, importer, streams: streams.size === 0 ? undefined : streams, propagator, receiver }
    return jsonAnswer({
      scopes: SCOPES.filter((_, index) => granted[index]),
      capabilities: Object.entries(capabilities).filter(([, given]) => given !== undefined).map(([name]) => name),
      streams: [...streams.keys()],
      sources: granted[SCOPES.indexOf('admin')] === true ? Object.entries(sources).map(([name, source]) => ({ name, isFixed: typeof source !== 'function' })) : [],
    })
  },
})
