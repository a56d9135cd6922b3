/** Runs the statements in one transaction and keeps what they did, or takes it back. Rejects when one of them is refused. */
export type RunStatements = (statements: readonly string[], outcome: 'keep' | 'take back') => Promise<void>

/**
 * A session with BEGIN and SAVEPOINT on a database that has none: an open transaction is run from its beginning for each statement,
 * taken back, and kept with COMMIT. What is rolled back has been written for a moment each time.
 */
export class BufferedSession {
  readonly #run: RunStatements
  readonly #marks = new Map<string, number>()
  #open: readonly string[] | undefined

  constructor(run: RunStatements) {
    this.#run = run
  }

  async execute(sql: string): Promise<void> {
    const words = sql.split(' ')
    const mark = words.at(-1) ?? ''
    if (sql === 'begin') this.#open = []
    else if (sql === 'commit') await this.#end(this.#open ?? [])
    else if (sql === 'rollback') await this.#end([])
    else if (sql.startsWith('savepoint ')) this.#marks.set(mark, this.#open?.length ?? 0)
    else if (sql.startsWith('rollback to ')) this.#open = this.#open?.slice(0, this.#marks.get(mark))
    else if (!sql.startsWith('release ')) await this.#statement(sql)
  }

  async close(): Promise<void> {}

  async #statement(sql: string): Promise<void> {
    if (this.#open === undefined) return this.#run([sql], 'keep')
    const open = [...this.#open, sql]
    await this.#run(open, 'take back')
    this.#open = open
  }

  async #end(statements: readonly string[]): Promise<void> {
    this.#open = undefined
    this.#marks.clear()
    if (statements.length > 0) await this.#run(statements, 'keep')
  }
}
