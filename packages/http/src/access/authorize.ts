import type { Scope } from './scope.ts'

/**
 * Whether who sends this request may do what needs `scope`. `route` is the method and the path's pattern, such as `GET /changes`, for who wants to
 * decide more finely. Anything but `true` is a refusal. What it throws refuses too.
 *
 * A request is asked about several times, with different scopes: do not read its body, do not count.
 */
export interface Authorize {
  (request: Request, scope: Scope, route: string): boolean | Promise<boolean>
  /** `WWW-Authenticate` of a 401. Default `Bearer`. */
  readonly challenge?: string | undefined
}
