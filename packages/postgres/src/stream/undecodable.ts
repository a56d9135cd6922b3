import { TidemarkError } from '@tidemark/core/adapter'

/** What was read is never skipped: a message that is not understood may be a row. */
export function undecodable(fault: string): TidemarkError {
  return new TidemarkError('LOG_UNDECODABLE', `The replication stream ${fault}.`)
}
