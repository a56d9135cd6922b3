import type { SourceDialect } from '@tidemark/core'

export const mysqlSource = (_config: { readonly url: string; readonly tls?: string }): SourceDialect => { throw new TypeError('Not merged yet.') }
