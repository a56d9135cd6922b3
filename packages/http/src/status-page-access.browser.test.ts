import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import type { AxeResults } from 'axe-core'
import { launchChromium } from '@tidemark/test-servers/chromium'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { keepScreenshot, openPage } from './test/open-page.ts'
import { makeShowcase } from './test/showcase.ts'

let browser: Browser
beforeAll(async () => { browser = await launchChromium() })
afterAll(() => browser.close())

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

/** What axe-core finds, by its rules of all levels and of good practice. It comes by the debugger: the page's policy would let no other script in. */
async function violations(page: Page): Promise<readonly string[]> {
  await page.evaluate(axe)
  const { violations: found, passes } = await page.evaluate<AxeResults>('axe.run(document)')
  // Rules that had nothing to look at would find nothing.
  expect(passes.map(({ id }) => id)).toEqual(expect.arrayContaining(['aria-allowed-attr', 'button-name', 'color-contrast']))
  return found.flatMap(({ id, nodes }) => nodes.map(({ html, failureSummary }) => `${id}: ${html.slice(0, 200)} ${failureSummary ?? ''}`))
}

/** Nothing sticks out to the right. */
async function tooWide(page: Page): Promise<unknown> {
  return page.evaluate(`(() => {
    const limit = document.documentElement.clientWidth
    const wide = [...document.querySelectorAll('body *')].filter((one) => one.checkVisibility() && one.closest('thead, .skip') === null && (one.getBoundingClientRect().right > limit + 0.5 || (one.scrollWidth > one.clientWidth + 1 && getComputedStyle(one).overflowX === 'auto')))
    return { isScrolled: document.documentElement.scrollWidth > limit, wide: wide.map((one) => one.outerHTML.slice(0, 120)) }
  })()`)
}

const focused = (page: Page): Promise<string> => page.evaluate<string>('document.activeElement?.getAttribute("aria-label") ?? document.activeElement?.labels?.[0]?.textContent ?? document.activeElement?.textContent ?? ""')

/** With the Tab key, as often as it takes to come round. */
async function tabTo(page: Page, name: RegExp): Promise<void> {
  const seen: string[] = []
  for (let presses = 0; presses < 120; presses += 1) {
    await page.keyboard.press('Tab')
    const at = await focused(page)
    if (name.test(at)) return
    seen.push(at)
  }
  throw new Error(`${String(name)} is not reached: ${[...new Set(seen)].join(', ')}`)
}

async function pressKey(page: Page, name: RegExp, key = 'Enter'): Promise<void> {
  await tabTo(page, name)
  await page.keyboard.press(key)
}

describe('the status page, for everybody', () => {
  for (const colorScheme of ['light', 'dark'] as const) {
    it(`has nothing that axe-core objects to: ${colorScheme}`, async () => {
      await using world = await makeShowcase()
      await using opened = await openPage(browser, world, { scope: 'admin', colorScheme })
      const { page, complaints } = opened
      await page.getByRole('button', { name: 'Follow', exact: true }).click()
      await page.getByText('Following: changes appear').waitFor()
      world.app.exec(`INSERT INTO users (name) VALUES ('Ida'); UPDATE users SET name = 'Ada' WHERE id = 1; DELETE FROM users WHERE id = 2`)
      await page.getByRole('table', { name: 'Changes seen' }).getByRole('row', { name: /delete/ }).waitFor()
      await page.getByRole('button', { name: /^Files:/ }).click()
      await page.getByRole('link', { name: /^Download: .*csv/ }).first().waitFor()
      await page.getByRole('button', { name: 'Sync now: invoices' }).click()
      await page.getByRole('button', { name: 'Dismiss' }).waitFor()
      expect(await violations(page)).toEqual([])
      await page.getByRole('button', { name: 'Remove: invoices' }).click()
      expect(await violations(page)).toEqual([])
      await page.keyboard.press('Escape')
      await page.getByRole('button', { name: 'Add replication' }).click()
      await page.getByText('More options').click()
      await page.getByRole('button', { name: 'Save' }).click()
      await page.getByRole('alert').getByText('CONFIG_INVALID').waitFor()
      expect(await violations(page)).toEqual([])
      expect(complaints).toEqual([])
    })
  }

  it('does everything with the keyboard alone', async () => {
    await using world = await makeShowcase()
    await using opened = await openPage(browser, world, { scope: 'admin' })
    const { page, complaints } = opened
    await page.keyboard.press('Tab')
    expect(await focused(page)).toBe('Skip to content')
    await page.keyboard.press('Enter')
    await pressKey(page, /^Sync now: events$/)
    await page.getByText('events is synced.').waitFor()
    expect(await page.evaluate<unknown>('document.activeElement?.id')).toBe('sync-events')
    await pressKey(page, /^Stop: events$/, 'Space')
    await page.getByRole('button', { name: 'Start: events' }).waitFor()
    expect(await focused(page)).toBe('Start: events')
    await page.keyboard.press('Enter')
    await page.getByText('events is on the schedule.').waitFor()
    await pressKey(page, /^Remove: invoices$/)
    await pressKey(page, /^Remove$/)
    await page.getByText('invoices is removed.').waitFor()
    await page.getByRole('row', { name: /^invoices/ }).waitFor({ state: 'detached' })
    expect(await page.evaluate<unknown>('document.activeElement?.id')).toBe('replications')
    await pressKey(page, /^Time that the charts show$/, 'ArrowDown')
    await page.getByRole('combobox', { name: 'Time that the charts show' }).and(page.locator(':focus')).waitFor()
    expect(await page.getByRole('combobox', { name: 'Time that the charts show' }).inputValue()).toBe('21600000')
    await pressKey(page, /^Replication whose runs/, 'ArrowDown')
    await pressKey(page, /^Stream/, 'ArrowDown')
    await tabTo(page, /^Tables/)
    await page.keyboard.type('customers')
    await pressKey(page, /^Follow$/)
    await page.getByText('Following: changes appear').waitFor()
    world.other.exec(`INSERT INTO customers (name) VALUES ('Ida')`)
    await page.getByRole('table', { name: 'Changes seen' }).getByRole('row', { name: /Ida/ }).waitFor()
    await page.keyboard.press('Enter')
    await page.getByText('Paused. Nothing is missed').waitFor()
    await page.keyboard.press('Enter')
    await page.getByText('Following: changes appear').waitFor()
    await pressKey(page, /^Clear$/)
    await pressKey(page, /^Format of the next export$/, 'ArrowDown')
    await pressKey(page, /^Export: database$/)
    await page.getByText('An export has begun.').waitFor()
    await pressKey(page, /^Cancel: export/)
    await page.getByText(/^The export \w+ is cancelled/).waitFor()
    const [download] = await Promise.all([page.waitForEvent('download'), pressKey(page, /^Download: export/)])
    expect(await download.failure()).toBe(null)
    await pressKey(page, /^Files: export/)
    const [file] = await Promise.all([page.waitForEvent('download'), pressKey(page, /^Download: .*csv/)])
    expect(await file.failure()).toBe(null)
    await pressKey(page, /^Delete: export/)
    await pressKey(page, /^Delete$/)
    await page.getByText(/^The export \w+ is deleted/).waitFor()
    await pressKey(page, /^Forget: import/)
    await pressKey(page, /^Forget$/)
    await page.getByText(/^The import \w+ is forgotten/).waitFor()
    await tabTo(page, /^Id of the dump/)
    await page.keyboard.type('export_none')
    await pressKey(page, /^Import: dump$/)
    await page.locator('#notice', { hasText: 'DUMP_INCOMPLETE' }).waitFor()
    await pressKey(page, /^Dismiss$/)
    await pressKey(page, /^Theme: auto$/)
    await page.getByRole('button', { name: 'Theme: light' }).waitFor()
    await pressKey(page, /^Add replication$/)
    await page.keyboard.type('again')
    for (const text of ['customers', 'customers_again']) {
      await page.keyboard.press('Tab')
      await page.keyboard.type(text)
    }
    await pressKey(page, /^Save$/)
    await page.getByText('again is configured.').waitFor()
    expect(await focused(page)).toBe('Add replication')
    expect(complaints).toEqual([])
  })

  it('fits a small screen, with nothing to scroll sideways, in either theme', async () => {
    await using world = await makeShowcase()
    await using opened = await openPage(browser, world, { scope: 'admin', width: 390, colorScheme: 'dark' })
    const { page } = opened
    await page.getByRole('button', { name: 'Follow', exact: true }).click()
    await page.getByText('Following: changes appear').waitFor()
    world.app.prepare('INSERT INTO notes (body) VALUES (?)').run('unbroken'.repeat(20))
    await page.getByRole('table', { name: 'Changes seen' }).waitFor()
    expect(await tooWide(page)).toEqual({ isScrolled: false, wide: [] })
    expect(await violations(page)).toEqual([])
    const groundOf = (): Promise<string> => page.evaluate<string>('getComputedStyle(document.body).backgroundColor')
    const dark = await groundOf()
    await page.getByRole('button', { name: 'Theme: auto' }).click()
    await page.getByRole('button', { name: 'Theme: light' }).waitFor()
    expect(await groundOf()).not.toBe(dark)
    await keepScreenshot(page, 'phone')
    await page.setViewportSize({ width: 320, height: 700 })
    expect(await tooWide(page)).toEqual({ isScrolled: false, wide: [] })
    await page.setViewportSize({ width: 820, height: 1_100 })
    expect(await tooWide(page)).toMatchObject({ isScrolled: false })
    await keepScreenshot(page, 'tablet')
  })

  it('moves nothing for who wants that', async () => {
    await using world = await makeShowcase()
    const moving = 'document.getAnimations().length + [...document.querySelectorAll("*")].filter((one) => getComputedStyle(one).transitionDuration.split(", ").some((time) => time !== "0s")).length'
    await world.exporter.start()
    await using usual = await openPage(browser, world, { scope: 'operate' })
    expect(await usual.page.evaluate<number>(moving)).toBeGreaterThan(0)
    expect(await usual.page.evaluate<unknown>('getComputedStyle(document.documentElement).scrollBehavior')).toBe('smooth')
    await using still = await openPage(browser, world, { scope: 'operate', reducedMotion: 'reduce' })
    expect(await still.page.evaluate<number>(moving)).toBe(0)
    expect(await still.page.evaluate<unknown>('getComputedStyle(document.documentElement).scrollBehavior')).toBe('auto')
  })
})
