import { TidemarkError } from '../errors/tidemark-error.ts'
import { stableJson } from '../util/stable-json.ts'
import type { ExportContext } from './export-context.ts'
import type { ExportRequest } from './export-request.ts'
import { resolveRequest } from './export-settings.ts'
import { newExport, newExportId } from './new-export.ts'
import { exportKey } from './seal-object.ts'

/**
 * Notes a job and gives its id. A key is claimed first, for the id of the job to come: where somebody was killed in between, the next request under it makes the
 * job of that id. Errors: as `Exporter.start`.
 */
export async function createExport(context: ExportContext, request: ExportRequest, idempotencyKey: string | undefined): Promise<string> {
  const { store, runtime, requestKeys } = context
  const spec = resolveRequest(context, request)
  // One time for both, so that jobs are as old as their ids say.
  const nowMs = runtime.now()
  const newId = newExportId(nowMs)
  const id = idempotencyKey === undefined ? newId : await requestKeys.claim({ key: idempotencyKey, id: newId, request: requestText(request) })
  if (id !== newId && await store.has(id)) return id
  const requestKey = idempotencyKey === undefined ? undefined : await requestKeys.keyOf(idempotencyKey)
  const state = newExport(context, { id, spec, callback: request.callback, requestKey, nowMs })
  await store.create({ ...state, keyCheck: (await exportKey(context, state))?.check }).catch((error: unknown) => {
    // Another request under the same key was faster.
    if (requestKey === undefined || !(error instanceof TidemarkError && error.code === 'STATE_CONFLICT')) throw error
  })
  return id
}

/** Two requests with one text are one. A secret counts only as far as it is a reference: no digest of it is kept. */
function requestText({ exclude, callback, ...request }: ExportRequest): string {
  const secret = typeof callback?.secret === 'object' ? callback.secret : undefined
  return stableJson({ ...request, exclude: exclude?.map((one) => (typeof one === 'string' ? one : { pattern: String(one) })), callback: callback === undefined ? undefined : { url: callback.url, secret } })
}
