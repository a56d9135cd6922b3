import type { CdcSelection } from './object/cdc-selection.ts'
import type { StarbaseScope } from './starbase-scope.ts'

/** The methods that `withTidemark` adds to the object, as its stub has them. They can be called from the Worker alone, whatever a client sends. */
export interface TidemarkMethods {
  /** Answers a request on behalf of somebody who may do what `scope` says. */
  tidemark(request: Request, scope: StarbaseScope): Promise<Response>
  /** Lets one WebSocket in, which has to come at once. */
  tidemarkTicket(selection: CdcSelection): Promise<string>
  /** Sends on what was written. Resolves when the peers have it, or have failed. */
  tidemarkFlush(): Promise<void>
}

/** The stub of the object, as the Worker has it. */
export interface TidemarkStub extends TidemarkMethods {
  fetch(request: Request): Promise<Response>
}

/** Of the address at which a WebSocket is opened; no client's request goes there. */
export const SOCKET_HOST = 'tidemark.invalid'
