import type { Route } from './route.ts'
import { healthRoute } from './routes/health.ts'

/** Every route there is. The tests of access, the OpenAPI document and the handler all go by this list. */
export const routes: readonly Route[] = [healthRoute]
