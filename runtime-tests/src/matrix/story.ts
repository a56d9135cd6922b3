import { exportDumps } from './chapters/export.ts'
import { importEntries } from './chapters/import.ts'
import { propagate } from './chapters/propagate.ts'
import { replicate } from './chapters/replicate.ts'
import { restore } from './chapters/restore.ts'
import { serve } from './chapters/serve.ts'
import { stream } from './chapters/stream.ts'
import { CELLS } from './cells.ts'
import { POSTGRES_CELLS } from './postgres-cells.ts'
import type { StoryHost } from './story-host.ts'
import type { ToldStory } from './told.ts'

/** One small life of a database, told by every runtime: each chapter begins with what the one before has left. */
export async function story(host: StoryHost): Promise<ToldStory> {
  const app = host.database('app')
  for (const statement of CELLS) await app.run(statement)
  for (const statement of POSTGRES_CELLS) await host.postgres.run(statement)
  const imported = await importEntries(host)
  const replicated = await replicate(host)
  const streamed = await stream(host)
  const { told: exported, dumps } = await exportDumps(host)
  const restored = await restore(host, dumps)
  const chapters = { import: imported, replicate: replicated, stream: streamed, export: exported, restore: restored, propagate: await propagate(host), serve: await serve(host) }
  return { version: host.version, chapters }
}
