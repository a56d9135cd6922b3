import * as v from 'valibot'
import { jsonAnswer } from '../answers/json-answer.ts'
import type { HandlerContext } from '../handler-context.ts'
import { defineRoute } from '../route.ts'

const healthSchema = v.object({
  status: v.picklist(['ok', 'warn', 'error']),
  /** What is not as it should be. */
  checks: v.array(v.object({ kind: v.picklist(['replication', 'change-source', 'peer', 'export']), name: v.string(), status: v.picklist(['warn', 'error']), code: v.optional(v.string()) })),
})

type Check = v.InferOutput<typeof healthSchema>['checks'][number]

/** Says 200 as long as the process answers: one sick table must not have a host restarted that serves the others. */
export const healthRoute = defineRoute({
  method: 'GET', path: '/health', scope: 'read', id: 'health', head: true,
  summary: 'Whether all is well, and what is not',
  answers: { 200: { description: 'The process answers; `status` says how it is.', schema: healthSchema } },
  handle: async ({ context }) => {
    const checks = (await Promise.all([replicationChecks(context), sourceChecks(context), peerChecks(context)])).flat()
    const worst = checks.some(({ status }) => status === 'error') ? 'error' : 'warn'
    return jsonAnswer({ status: checks.length === 0 ? 'ok' : worst, checks })
  },
})

async function replicationChecks({ replicator }: HandlerContext): Promise<readonly Check[]> {
  const all = await replicator?.status() ?? []
  return all.flatMap(({ name, activity, lastError }): readonly Check[] =>
    (activity === 'failed' ? [{ kind: 'replication', name, status: 'error', code: lastError?.code }] : []))
}

async function sourceChecks({ streams }: HandlerContext): Promise<readonly Check[]> {
  const sources = await Promise.all([...streams.values()].map((stream) => stream.listSources()))
  return sources.flat().flatMap(({ name, state, lastError }): readonly Check[] => {
    if (state === 'failed') return [{ kind: 'change-source', name, status: 'error', code: lastError?.code }]
    return state === 'reconnecting' ? [{ kind: 'change-source', name, status: 'warn', code: lastError?.code }] : []
  })
}

async function peerChecks({ propagator }: HandlerContext): Promise<readonly Check[]> {
  return (propagator?.status().peers ?? []).flatMap(({ name, phase, lastError, tables }): readonly Check[] => {
    if (phase === 'resting') return [{ kind: 'peer', name, status: 'error', code: lastError?.code }]
    return phase === 'retrying' || Object.keys(tables).length > 0 ? [{ kind: 'peer', name, status: 'warn', code: lastError?.code }] : []
  })
}
