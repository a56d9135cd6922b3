export const mysqlSource: (config: { readonly url: string; readonly tls?: string }) => import('@tidemark/core').SourceDialect = () => { throw new TypeError('pending') }
