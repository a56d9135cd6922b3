import * as v from 'valibot'

const text = v.pipe(v.string(), v.minLength(1, 'Must not be empty.'), v.maxLength(4_096, 'Must have at most 4,096 characters.'))

export const sourceConfigSchema = v.strictObject({
  dialect: text,
  host: v.optional(text),
  port: v.optional(v.pipe(v.number(), v.integer('Must be a whole number.'), v.minValue(1, 'Must be at least 1.'), v.maxValue(65_535, 'Must be at most 65,535.'))),
  user: v.optional(text),
  password: v.optional(text),
  database: v.optional(text),
  defaultSchema: v.optional(text),
  connectionString: v.optional(text),
})

/** Where rows come from, as it is sent to `POST /data-replication/configure`. It may hold a password: it is never kept, logged or answered with. */
export interface SourceConfig {
  /** A key of the handler's `sources`. */
  readonly dialect: string
  readonly host?: string | undefined
  readonly port?: number | undefined
  readonly user?: string | undefined
  readonly password?: string | undefined
  readonly database?: string | undefined
  readonly defaultSchema?: string | undefined
  readonly connectionString?: string | undefined
}
