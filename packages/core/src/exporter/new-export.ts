import { hex } from '../util/hex.ts'
import type { ExportContext } from './export-context.ts'
import type { ExportCallback } from './export-request.ts'
import type { CallbackState, ExportSpec, ExportState } from './export-state.ts'

/** Hexadecimal digits of the time an id begins with, in milliseconds: ids sort by age, so that the newest can be listed without reading all. */
const TIME_DIGITS = 12

/** The time, and 80 random bits: an id that can't be guessed. */
export function newExportId(nowMs: number): string {
  return `export_${Math.max(0, Math.trunc(nowMs)).toString(16).padStart(TIME_DIGITS, '0').slice(-TIME_DIGITS)}${hex(crypto.getRandomValues(new Uint8Array(10)))}`
}

export interface NewExport {
  readonly id: string
  readonly spec: ExportSpec
  readonly callback: ExportCallback | undefined
  readonly requestKey: string | undefined
  readonly nowMs: number
}

export function newExport({ source }: Pick<ExportContext, 'source'>, { id, spec, callback, requestKey, nowMs }: NewExport): ExportState {
  return {
    version: 1,
    id,
    dialect: source.name,
    sourceAddress: source.address,
    status: 'pending',
    spec,
    requestKey,
    lease: undefined,
    attempt: 1,
    view: undefined,
    plan: undefined,
    streams: [],
    steps: 0,
    slowestPageMs: 0,
    failures: 0,
    nextAtMs: nowMs,
    error: undefined,
    isCleanupDue: false,
    hasRemains: false,
    callback: callback === undefined ? undefined : newCallback(id, callback, nowMs),
    createdAtMs: nowMs,
    updatedAtMs: nowMs,
    completedAtMs: undefined,
  }
}

function newCallback(id: string, { url, secret }: ExportCallback, nowMs: number): CallbackState {
  const secretEnv = typeof secret === 'object' ? secret.env : undefined
  return { url, secretEnv, messageId: `msg_${id}`, attempts: 0, nextAtMs: nowMs, outcome: 'pending', error: undefined }
}
