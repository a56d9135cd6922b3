import type { AbortOptions, LogHealth, RetentionAction, TendOptions } from '@tidemark/core/adapter'
import type { SqlSession } from '../sql-session.ts'
import { RetentionMeter } from './retention-meter.ts'
import { readSlotStatus, type SlotStatus } from './slot-status.ts'
import type { StreamSettings } from './stream-settings.ts'

/** Looks at what the server keeps for a slot, and remembers what it saw, to tell how fast that grows. */
export class RetentionWatch {
  readonly #settings: StreamSettings
  readonly #meter = new RetentionMeter()

  constructor(settings: StreamSettings) {
    this.#settings = settings
  }

  async look(session: SqlSession, options: AbortOptions): Promise<SlotStatus> {
    const { slot, maxRetainedBytes, now } = this.#settings
    const { isActive, walStatus, ...look } = await readSlotStatus(session, { slot, maxRetainedBytes, ...options })
    return { ...this.#meter.observe(look, now()), slot, isActive, walStatus }
  }

  /** Tells what it sees, and then has the slot dropped where that is the policy. */
  async tend(session: SqlSession, { tell, ...options }: TendOptions, drop: (options: AbortOptions) => Promise<void>): Promise<void> {
    const { slot: _slot, isActive: _isActive, walStatus: _walStatus, ...retention } = await this.look(session, options)
    const action = this.#actionAt(retention.health)
    tell(retention, action)
    if (action === 'drop') await drop(options)
  }

  #actionAt(health: LogHealth): RetentionAction {
    switch (health) {
      case 'over': return this.#settings.retentionPolicy === 'drop-slot' ? 'drop' : 'alert'
      case 'filling': case 'lost': return 'alert'
      case 'ok': case 'unbounded': case 'missing': return 'none'
      default: return health satisfies never
    }
  }
}
