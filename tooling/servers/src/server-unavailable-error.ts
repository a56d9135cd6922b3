import type { ServerOrigin } from './server.ts'

/** Why one way to a server was passed over. */
export interface PassedOver {
  readonly origin: ServerOrigin
  readonly reason: string
}

/** No way to a server was open. A test that gets it fails; it is never a reason to skip. */
export class ServerUnavailableError extends Error {
  override readonly name = 'ServerUnavailableError'
  readonly passedOver: readonly PassedOver[]

  constructor(wanted: string, passedOver: readonly PassedOver[], ways: readonly string[]) {
    const tried = passedOver.map(({ origin, reason }) => `  - ${origin}: ${reason}`)
    const open = ways.map((way, index) => `  ${index + 1}. ${way}`)
    super([`No ${wanted} server can be had here.`, 'Tried:', ...tried, 'Ways to provide one:', ...open].join('\n'))
    this.passedOver = passedOver
  }
}
