import { fileHost } from './file-host.ts'
import { story } from '../story.ts'
import type { StoryHost } from '../story-host.ts'

/** Tells the story in this process, as one line of JSON. */
export async function tellOnStdout(serve: StoryHost['serve']): Promise<void> {
  await using host = await fileHost(serve)
  process.stdout.write(`${JSON.stringify(await story(host))}\n`)
}
