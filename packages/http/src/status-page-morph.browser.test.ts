import { fileURLToPath } from 'node:url'
import { launchChromium } from '@tidemark/test-servers/chromium'
import { build } from 'esbuild'
import fc from 'fast-check'
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, expect, it } from 'vitest'

let browser: Browser
beforeAll(async () => { browser = await launchChromium() })
afterAll(() => browser.close())

interface Tree {
  readonly tag: string
  readonly id: string | undefined
  readonly title: string | undefined
  readonly children: readonly (Tree | string)[]
}

const { tree } = fc.letrec<{ tree: Tree; child: Tree | string }>((tie) => ({
  tree: fc.record({
    tag: fc.constantFrom('p', 'b', 'i'), id: fc.option(fc.constantFrom('one', 'two', 'three', 'four', 'five'), { nil: undefined }), title: fc.option(fc.constantFrom('x', 'y'), { nil: undefined }),
    children: fc.array(tie('child'), { maxLength: 5 }),
  }),
  child: fc.oneof({ maxDepth: 3 }, fc.constantFrom('text', 'other text'), tie('tree')),
}))

/** In the page: becomes what was wanted, whatever was there, and the elements of one id, tag and place are the same ones. */
const TRY = `({ before, after }) => {
  const make = ({ tag, id, title, children }, used) => {
    const element = document.createElement(tag)
    // No id comes twice.
    if (id !== undefined && !used.has(id)) { used.add(id); element.id = id }
    if (title !== undefined) element.title = title
    element.append(...children.map((child) => (typeof child === 'string' ? child : make(child, used))))
    return element
  }
  const place = make(before, new Set())
  const wanted = make(after, new Set())
  const expected = wanted.innerHTML
  const known = new Map([...place.children].filter(({ id }) => id !== '').map((child) => [child.id, child]))
  const same = [...wanted.children].filter(({ id, tagName }) => known.get(id)?.tagName === tagName).map(({ id }) => id)
  page.morph(place, [...wanted.childNodes])
  const thrownAway = same.filter((id) => [...place.children].find((child) => child.id === id) !== known.get(id))
  return { isAsWanted: place.innerHTML === expected, thrownAway }
}`

it('makes of any content any other, and keeps what has a name', async () => {
  const page = await browser.newPage()
  const { outputFiles } = await build({ entryPoints: [fileURLToPath(new URL('../page/src/morph.ts', import.meta.url))], bundle: true, write: false, format: 'iife', globalName: 'page' })
  await page.evaluate(`${outputFiles[0]?.text ?? ''}; globalThis.page = page`)
  await fc.assert(fc.asyncProperty(tree, tree, async (before, after) => {
    expect(await page.evaluate<unknown>(`(${TRY})(${JSON.stringify({ before, after })})`)).toEqual({ isAsWanted: true, thrownAway: [] })
  }), { numRuns: 500 })
})
