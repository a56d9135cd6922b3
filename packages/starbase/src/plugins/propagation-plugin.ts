import type { StarbaseAnswer } from '../plugin-contract.ts'
import { RoutePlugin, type PluginOptions } from './route-plugin.ts'

/** Applies the instance's writes on its peers, once they are answered: `afterQuery` has them sent. How that goes is at `/peers`. */
export class PropagationPlugin extends RoutePlugin {
  constructor(options: PluginOptions) {
    super({ name: 'tidemark:propagation', paths: ['/peers'] }, options)
  }

  override async afterQuery(query: StarbaseAnswer): Promise<unknown> {
    const { dataSource } = query
    // Without one, the alarm of the object does it.
    if (dataSource?.source === 'internal' && mayHaveWritten(query)) dataSource.executionContext?.waitUntil(this.stub.tidemarkFlush())
    return query.result
  }
}

/** Told where the instance tells it. */
function mayHaveWritten({ isRaw, result }: StarbaseAnswer): boolean {
  const meta = isRaw && typeof result === 'object' && result !== null && 'meta' in result ? result.meta : undefined
  return !(typeof meta === 'object' && meta !== null && 'rows_written' in meta && meta.rows_written === 0)
}
