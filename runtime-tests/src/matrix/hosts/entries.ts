/** Every entry that every runtime imports. `@tidemark/conformance/vitest` is not among them: it runs in a test runner, as each lane does. */
export const entries: Readonly<Record<string, () => Promise<object>>> = {
  '@tidemark/core': () => import('@tidemark/core'),
  '@tidemark/core/adapter': () => import('@tidemark/core/adapter'),
  '@tidemark/core/kysely': () => import('@tidemark/core/kysely'),
  '@tidemark/core/testing': () => import('@tidemark/core/testing'),
  '@tidemark/sqlite': () => import('@tidemark/sqlite'),
  '@tidemark/libsql': () => import('@tidemark/libsql'),
  '@tidemark/postgres': () => import('@tidemark/postgres'),
  '@tidemark/mysql': () => import('@tidemark/mysql'),
  '@tidemark/s3': () => import('@tidemark/s3'),
  '@tidemark/parquet': () => import('@tidemark/parquet'),
  '@tidemark/http': () => import('@tidemark/http'),
  '@tidemark/cloudflare': () => import('@tidemark/cloudflare'),
  '@tidemark/conformance': () => import('@tidemark/conformance'),
}
