import { Miniflare, type MiniflareOptions, type ModuleDefinition } from 'miniflare'
import { bundleWorker } from './bundle-worker.ts'
import { entriesModule, publishedEntries } from './published-entries.ts'
import { tell } from './tell.ts'
import type { Told, ToldStory } from './told.ts'

/** Fixed, so that the runtime does what it did. */
const COMPATIBILITY = { compatibilityDate: '2026-07-01', compatibilityFlags: ['nodejs_compat'] } as const

/** Entries that are no part of the Worker with the story in it: with one that does not load it would not start. */
const ALONE: readonly string[] = ['tidemark']

/** Has a Durable Object in workerd tell the story. `folder` has the installed packages and the bundled hosts. */
export async function tellInWorker(folder: string, postgresUrl: string): Promise<ToldStory> {
  const entries = publishedEntries().filter((entry) => !ALONE.includes(entry))
  const script = await bundleWorker(folder, `import { storyObject } from './worker.mjs'
    ${entriesModule(entries)}
    export const StoryObject = storyObject(entries)
    export { worker as default } from './worker.mjs'`)
  const options = {
    ...COMPATIBILITY, name: 'story', modules: modulesOf(script), durableObjects: { OBJECTS: { className: 'StoryObject', useSQLite: true } }, r2Buckets: ['BUCKET'],
    d1Databases: ['copy', 'restored', 'restoredRows', 'peer'], serviceBindings: { SELF: 'story' }, bindings: { POSTGRES_URL: postgresUrl },
  }
  const runtime = new Miniflare(options as MiniflareOptions) // one worker's options, and those of all
  try {
    const response = await runtime.dispatchFetch('http://worker.example/story')
    const text = await response.text()
    if (!response.ok) throw new Error(text)
    const { chapters } = JSON.parse(text) as ToldStory // as the object wrote it
    const alone = Object.fromEntries(await Promise.all(ALONE.map(async (entry): Promise<[string, Told]> => [entry, await tell(() => importAlone(folder, entry))])))
    return { version: COMPATIBILITY.compatibilityDate, chapters: { ...chapters, import: { ...chapters.import, ...alone } } }
  } finally {
    await runtime.dispose()
  }
}

/** In a Worker with nothing else. */
async function importAlone(folder: string, entry: string): Promise<string> {
  const script = await bundleWorker(folder, `import * as entry from '${entry}'; export default { fetch: () => new Response(Object.keys(entry).length > 0 ? 'exports' : 'nothing') }`)
  const runtime = new Miniflare({ ...COMPATIBILITY, modules: modulesOf(script), handleRuntimeStdio: () => {} })
  try {
    return await (await runtime.dispatchFetch('http://worker.example/')).text()
  } finally {
    await runtime.dispose()
  }
}

/** Named here: what the command line imports by a name that it is given can't be found by looking. */
function modulesOf(contents: string): [ModuleDefinition] {
  return [{ type: 'ESModule', path: 'worker.mjs', contents }]
}
