import * as v from 'valibot'
import { jsonAnswer } from '../answers/json-answer.ts'
import { defineRoute, needed } from '../route.ts'
import { doneShape, flagShape, nameParams, resultShape } from './shapes.ts'

export const startRoute = defineRoute({
  method: 'POST', path: '/data-replication/start/:name', scope: 'operate', id: 'startReplication',
  summary: 'Puts a replication on the schedule, also across restarts',
  params: nameParams,
  answers: { 200: { description: 'It is on the schedule; when it is overdue, it syncs at once.', schema: doneShape } },
  handle: async ({ params: { name }, context }) => {
    await needed(context.replicator, 'replicator').resume(name)
    return jsonAnswer({ success: true, message: `Replication "${name}" is started.` })
  },
})

export const stopRoute = defineRoute({
  method: 'POST', path: '/data-replication/stop/:name', scope: 'operate', id: 'stopReplication',
  summary: 'Takes a replication off the schedule, also across restarts',
  params: nameParams,
  answers: { 200: { description: 'It is off the schedule, and a sync that was under way has ended after its slice.', schema: doneShape } },
  handle: async ({ params: { name }, context }) => {
    await needed(context.replicator, 'replicator').pause(name)
    return jsonAnswer({ success: true, message: `Replication "${name}" is stopped.` })
  },
})

/** Not ended with the request: what it has copied so far would only have to be gone on with. */
export const syncRoute = defineRoute({
  method: 'POST', path: '/data-replication/sync/:name', scope: 'operate', id: 'syncReplication',
  summary: 'Syncs a replication now, or joins the sync under way, and waits for its end; a client that leaves does not end it',
  params: nameParams,
  query: v.strictObject({ reconcile: v.optional(flagShape) }),
  answers: { 200: { description: 'The sync has succeeded. A failed one is never 200.', schema: v.object({ ...doneShape.entries, result: resultShape }) } },
  handle: async ({ params: { name }, query: { reconcile }, context }) => {
    const work = needed(context.replicator, 'replicator').syncNow(name, { reconcile })
    context.waitUntil(work.then(() => undefined, () => undefined))
    return jsonAnswer({ success: true, message: `Replication "${name}" is synced.`, result: await work })
  },
})
