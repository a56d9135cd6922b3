import { tell } from '../tell.ts'
import type { StoryHost } from '../story-host.ts'
import type { ToldParts } from '../told.ts'

/** Every entry of every package, as an application imports it. */
export async function importEntries({ entries }: StoryHost): Promise<ToldParts> {
  const told = await Promise.all(Object.entries(entries).map(async ([name, load]) => [name, await tell(async () => (Object.keys(await load()).length > 0 ? 'exports' : 'nothing'))] as const))
  return Object.fromEntries(told)
}
