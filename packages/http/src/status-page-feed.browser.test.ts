import { launchChromium } from '@tidemark/test-servers/chromium'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { keepScreenshot, openPage } from './test/open-page.ts'
import { makeShowcase } from './test/showcase.ts'
import { makeWorld } from './test/world.ts'

let browser: Browser
beforeAll(async () => { browser = await launchChromium() })
afterAll(() => browser.close())

const press = (page: Page, name: string): Promise<void> => page.getByRole('button', { name, exact: true }).click()
const rowOf = (page: Page, name: RegExp) => page.getByRole('table', { name: 'Changes seen' }).getByRole('row', { name })
const rows = async (page: Page): Promise<readonly string[]> => page.locator('.changes-seen tbody code').allTextContents()

async function follow(page: Page, button = 'Follow'): Promise<void> {
  await press(page, button)
  await page.getByText('Following: changes appear').waitFor()
}

describe('live changes of the status page', () => {
  it('come as they are, and rows are taken for text', async () => {
    await using world = await makeShowcase()
    await using opened = await openPage(browser, world, { scope: 'operate', colorScheme: 'dark' })
    const { page, complaints } = opened
    await follow(page)
    await page.getByRole('row', { name: /^app.*live-/ }).waitFor()
    world.app.prepare('INSERT INTO notes (body) VALUES (?)').run('<img src=x onerror="document.title=1"><script>document.title=2</script>')
    world.app.exec(`INSERT INTO users VALUES (9007199254740993, 'Grace', x'00ff'); UPDATE users SET name = 'Linus' WHERE id = 7; DELETE FROM users WHERE id = 8`)
    await rowOf(page, /delete users/).waitFor()
    expect(await rows(page)).toEqual([
      'id: 8 · name: "user 8" · balance: 12', 'id: 7 · name: "user 7" → "Linus"', 'id: 9007199254740993 · name: "Grace" · balance: bytes AP8=',
      'id: 4001 · body: "<img src=x onerror=\\"document.title=1\\"><script>document.title=2</script>"',
    ])
    expect(await page.title()).toBe('Tidemark')
    await keepScreenshot(page, 'dark')
    await press(page, 'Clear')
    await rowOf(page, /delete users/).waitFor({ state: 'detached' })
    expect(complaints).toEqual([])
  })

  it('pause, and resume by position without a hole, also in another page', async () => {
    await using world = await makeWorld({ basePath: '/data' })
    await using opened = await openPage(browser, world, { scope: 'operate' })
    const { page } = opened
    await follow(page)
    world.app.exec(`INSERT INTO notes VALUES (1, 'seen')`)
    await rowOf(page, /seen/).waitFor()
    await press(page, 'Pause')
    await page.getByText('Paused. Nothing is missed').waitFor()
    const position = await page.getByLabel('From position').inputValue()
    expect(position).not.toBe('')
    world.app.exec(`INSERT INTO notes VALUES (2, 'meanwhile')`)
    await follow(page, 'Resume')
    await rowOf(page, /meanwhile/).waitFor()
    expect((await rows(page)).toSorted()).toEqual(['id: 1 · body: "seen"', 'id: 2 · body: "meanwhile"'])
    await using other = await openPage(browser, world, { scope: 'operate' })
    await other.page.getByLabel('From position').fill(position)
    await follow(other.page, 'Resume')
    await rowOf(other.page, /meanwhile/).waitFor()
    expect(await rows(other.page)).toEqual(['id: 2 · body: "meanwhile"'])
  })

  it('miss nothing either when they are paused before the first', async () => {
    await using world = await makeWorld({ basePath: '/data' })
    await using opened = await openPage(browser, world, { scope: 'operate' })
    const { page } = opened
    const begun = page.waitForResponse(/\/changes\?/)
    await follow(page)
    await (await begun).headerValue('content-type')
    await page.getByText('Following: changes appear').waitFor()
    await press(page, 'Pause')
    await page.getByText('Paused. Nothing is missed').waitFor()
    world.app.exec(`INSERT INTO notes VALUES (1, 'meanwhile')`)
    await follow(page, 'Resume')
    await rowOf(page, /meanwhile/).waitFor()
  })

  it('follow from now on when the position is emptied', async () => {
    await using world = await makeWorld({ basePath: '/data' })
    await using opened = await openPage(browser, world, { scope: 'operate' })
    const { page } = opened
    await follow(page)
    world.app.exec(`INSERT INTO notes VALUES (1, 'seen')`)
    await rowOf(page, /seen/).waitFor()
    await press(page, 'Pause')
    world.app.exec(`INSERT INTO notes VALUES (2, 'meanwhile')`)
    await page.getByLabel('From position').fill('')
    await follow(page)
    world.app.exec(`INSERT INTO notes VALUES (3, 'after')`)
    await rowOf(page, /after/).waitFor()
    expect((await rows(page)).toSorted()).toEqual(['id: 1 · body: "seen"', 'id: 3 · body: "after"'])
  })

  it('are of the stream and the tables that are chosen', async () => {
    await using world = await makeShowcase()
    await using opened = await openPage(browser, world, { scope: 'operate' })
    const { page, complaints } = opened
    await follow(page)
    await page.getByLabel('Stream').selectOption('events')
    await page.getByRole('row', { name: /^events.*live-/ }).waitFor()
    await page.getByLabel('Tables').fill('customers')
    await page.getByLabel('Tables').press('Enter')
    await page.getByText('Following: changes appear').waitFor()
    world.app.exec(`INSERT INTO notes (body) VALUES ('of the other stream')`)
    world.other.exec(`INSERT INTO events (kind) VALUES ('of the other table'); INSERT INTO customers (name) VALUES ('Ida')`)
    await rowOf(page, /Ida/).waitFor()
    expect(await rows(page)).toEqual([expect.stringContaining('name: "Ida"')])
    expect(complaints).toEqual([])
  })

  it('are counted however many come, and the newest are shown', async () => {
    await using world = await makeWorld({ basePath: '/data' })
    await using opened = await openPage(browser, world, { scope: 'operate' })
    const { page } = opened
    await follow(page)
    for (let commit = 0; commit < 50; commit += 1) {
      world.app.exec(`WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 200) INSERT INTO notes SELECT ${commit} * 200 + i, 'note' FROM n`)
    }
    await page.getByText('10,000 changes seen, the newest 200 shown').waitFor()
    const shown = await rows(page)
    expect([shown.length, shown[0], shown[199]]).toEqual([200, 'id: 10000 · body: "note"', 'id: 9801 · body: "note"'])
  })

  it('say why they can not be followed, and the way out', async () => {
    await using world = await makeWorld({ basePath: '/data' })
    await using opened = await openPage(browser, world, { scope: 'operate' })
    const { page } = opened
    await page.getByLabel('Tables').fill('nothing_of_this_name')
    await press(page, 'Follow')
    const standing = page.locator('#feed-standing', { hasText: 'Way out' })
    await standing.waitFor()
    expect(await standing.textContent()).toMatch(/^TABLE_UNKNOWN/)
    await page.getByLabel('Tables').fill('')
    await page.getByLabel('From position').fill('no position')
    await press(page, 'Resume')
    await page.locator('#feed-standing', { hasText: 'REQUEST_INVALID' }).waitFor()
  })

  it('come back from where they were when the connection is cut', async () => {
    await using world = await makeWorld({ basePath: '/data' })
    await using opened = await openPage(browser, world, { scope: 'operate' })
    const { page } = opened
    await follow(page)
    world.app.exec(`INSERT INTO notes VALUES (1, 'before')`)
    await rowOf(page, /before/).waitFor()
    if ('closeAllConnections' in world.server) world.server.closeAllConnections()
    await page.getByText('Cut off.').waitFor()
    world.app.exec(`INSERT INTO notes VALUES (2, 'meanwhile')`)
    await rowOf(page, /meanwhile/).waitFor()
    expect((await rows(page)).toSorted()).toEqual(['id: 1 · body: "before"', 'id: 2 · body: "meanwhile"'])
  })
})
