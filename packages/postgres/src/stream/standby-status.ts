import type { Lsn } from './lsn.ts'

const BYTES = 39
/** PostgreSQL counts microseconds from 2000-01-01. */
const EPOCH_MS = 946_684_800_000

export interface StandbyStatus {
  /** What was received up to here. */
  readonly received: Lsn
  /** What is durable here, and so of no more use to us at the server. 0: nothing is said of it. */
  readonly durable: Lsn
  readonly nowMs: number
  /** Whether the server is to answer with a keepalive at once. */
  readonly wantsReply: boolean
}

/** A standby status update as a whole CopyData message (manual, 55.4). */
export function standbyStatus({ received, durable, nowMs, wantsReply }: StandbyStatus): Buffer {
  const message = Buffer.alloc(BYTES)
  message.write('d')
  message.writeInt32BE(BYTES - 1, 1)
  message.write('r', 5)
  message.writeBigUInt64BE(received > durable ? received : durable, 6)
  message.writeBigUInt64BE(durable, 14)
  message.writeBigUInt64BE(durable, 22)
  message.writeBigInt64BE(BigInt(Math.trunc(nowMs) - EPOCH_MS) * 1000n, 30)
  message[38] = wantsReply ? 1 : 0
  return message
}

/** CopyDone. */
export const COPY_DONE = Buffer.from([0x63, 0, 0, 0, 4])
