// Any Kysely dialect as a polling source. Kysely is a peer: nothing else in this package imports it.
export { kyselySource, type KyselySourceConfig, type KyselyTableHints } from './dialect/kysely-source.ts'
