import postgres from 'postgres'
import type { StoryPostgres } from '../story-host.ts'

/** The story's PostgreSQL, with a connection for what an application writes there. */
export function storyPostgres(url: string): StoryPostgres & AsyncDisposable {
  const sql = postgres(url, { max: 1, onnotice: () => {} })
  return {
    url,
    run: async (text) => void await sql.unsafe(text),
    [Symbol.asyncDispose]: () => sql.end({ timeout: 1 }),
  }
}
