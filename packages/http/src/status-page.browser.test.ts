import { readFileSync } from 'node:fs'
import { gzipSync } from 'node:zlib'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { PAGE_HTML } from './page/status-page.ts'
import { launchChromium } from './test/chromium.ts'
import { makeWorld, SECRETS, type World } from './test/world.ts'

let browser: Browser
beforeAll(async () => { browser = await launchChromium() })
afterAll(() => browser.close())

interface Opened extends AsyncDisposable {
  readonly page: Page
  /** Whatever the browser complained of: errors, refusals of the policy, requests to elsewhere. */
  readonly complaints: readonly string[]
}

const screenshots = process.env['TIDEMARK_TEST_SCREENSHOTS']

async function open(world: World, scope: 'read' | 'operate' | 'admin', options: { readonly colorScheme?: 'dark' | 'light'; readonly width?: number } = {}): Promise<Opened> {
  const context = await browser.newContext({
    httpCredentials: { username: 'anybody', password: SECRETS[scope] }, colorScheme: options.colorScheme ?? 'light', viewport: { width: options.width ?? 1_280, height: 1_100 }, acceptDownloads: true,
  })
  const page = await context.newPage()
  const complaints: string[] = []
  page.on('console', (message) => { if (message.type() === 'error' || message.type() === 'warning') complaints.push(message.text()) })
  page.on('pageerror', (error) => complaints.push(String(error)))
  page.on('request', (request) => { if (!request.url().startsWith(world.url) && !request.url().startsWith('data:')) complaints.push(`asked ${request.url()}`) })
  await page.addInitScript({ content: 'document.addEventListener("securitypolicyviolation", (violation) => console.error("policy: " + violation.violatedDirective))' })
  await page.goto(`${world.url}/`)
  await page.getByRole('heading', { name: 'Replications' }).waitFor()
  return { page, complaints, [Symbol.asyncDispose]: () => context.close() }
}

async function keep(page: Page, name: string): Promise<void> {
  if (screenshots !== undefined) await page.screenshot({ path: `${screenshots}/${name}.png`, fullPage: true })
}

async function makeBusyWorld(options: Parameters<typeof makeWorld>[0] = {}): Promise<World> {
  const world = await makeWorld({ basePath: '/data', ...options })
  await world.replicator.syncNow('users')
  await world.replicator.syncNow('broken').catch(() => undefined)
  await world.replicator.start()
  await world.propagator.flush()
  await world.exporter.finish((await world.exporter.start({ fileName: 'earlier' })).id)
  return world
}

describe('the status page', () => {
  it('is small, and is one file', () => {
    expect(gzipSync(PAGE_HTML).length).toBeLessThanOrEqual(30_000)
    expect(PAGE_HTML).not.toMatch(/<(script|link|img|iframe)[^>]+(src|href)="(?!data:)/)
  })

  it('shows how things stand, with the way out of what went wrong', async () => {
    await using world = await makeBusyWorld()
    await using opened = await open(world, 'admin')
    const { page, complaints } = opened
    const broken = page.getByRole('table', { name: 'Replications' }).getByRole('row', { name: /broken/ })
    expect(await broken.textContent()).toContain('TABLE_UNKNOWN')
    expect(await broken.textContent()).toContain('Way out: Check the name, its schema and its letter case.')
    expect(await page.getByRole('img', { name: /Time since the last sync/ }).getAttribute('aria-label')).toContain('users: now')
    expect(await page.getByRole('img', { name: /Rows written/ }).getAttribute('aria-label')).toMatch(/In all 100 rows; [12] runs failed/)
    expect(await page.getByRole('table', { name: 'Run history' }).getByRole('row').count()).toBeGreaterThanOrEqual(3)
    expect(await page.getByRole('table', { name: 'Peers' }).textContent()).toContain('there')
    expect(await page.locator('#health').textContent()).toContain('needs a look')
    await keep(page, 'light')
    expect(complaints).toEqual([])
  })

  it('follows changes, and takes rows for text', async () => {
    await using world = await makeBusyWorld()
    await using opened = await open(world, 'operate', { colorScheme: 'dark' })
    const { page, complaints } = opened
    await page.getByRole('button', { name: 'Follow', exact: true }).click()
    await page.getByText('Waiting for a change…').waitFor()
    await page.locator('#sources', { hasText: 'live-' }).waitFor()
    world.app.prepare('INSERT INTO notes (body) VALUES (?)').run('<img src=x onerror="document.title=1"><script>document.title=2</script>')
    const row = page.getByRole('table', { name: 'Live changes' }).getByRole('row', { name: /insert notes/ })
    await row.waitFor()
    expect(await row.textContent()).toContain('<img src=x onerror=')
    expect(await page.title()).toBe('Tidemark')
    await keep(page, 'dark')
    await page.getByRole('button', { name: 'Stop following' }).click()
    expect(complaints).toEqual([])
  })

  it('syncs, stops and starts a replication', async () => {
    await using world = await makeBusyWorld()
    await using opened = await open(world, 'operate')
    const { page, complaints } = opened
    world.app.exec(`INSERT INTO users (id, name) VALUES (5000, 'new')`)
    await page.getByRole('button', { name: 'Sync now: users' }).click()
    await page.getByText('users: is synced.').waitFor()
    expect((await world.replicator.status())[0]?.lastSyncValue).toBe('i:5000')
    await page.getByRole('button', { name: 'Stop: users' }).click()
    await page.getByRole('button', { name: 'Start: users' }).click()
    await page.getByRole('button', { name: 'Stop: users' }).waitFor()
    expect((await world.replicator.status())[0]?.isActive).toBe(true)
    await page.getByRole('button', { name: 'Sync now: broken' }).click()
    await page.getByText(/broken: TABLE_UNKNOWN/).waitFor()
    // What a browser says of any answer that is no success.
    expect(complaints.filter((text) => !text.startsWith('Failed to load resource'))).toEqual([])
  })

  it('makes an export, and downloads it', async () => {
    await using world = await makeBusyWorld()
    await using opened = await open(world, 'operate')
    const { page, complaints } = opened
    await page.getByRole('button', { name: 'Export: database' }).click()
    await page.getByText('database: an export has begun.').waitFor()
    const links = page.getByRole('link', { name: /^Download: export/ })
    await expect.poll(() => links.count(), { timeout: 10_000 }).toBe(2)
    const [download] = await Promise.all([page.waitForEvent('download'), links.first().click()])
    expect(readFileSync(await download.path(), 'utf8')).toContain('CREATE TABLE users')
    expect(complaints).toEqual([])
  })

  it('offers what the caller may do, and nothing else', async () => {
    await using world = await makeBusyWorld()
    await using opened = await open(world, 'read')
    const { page } = opened
    expect(await page.locator('#scopes').textContent()).toBe('You may: read')
    expect(await page.getByRole('main').getByRole('button').count()).toBe(0)
    expect(await page.getByRole('main').getByRole('link').count()).toBe(0)
    await page.getByText('Rows are shown to who has the scope operate.').waitFor()
  })

  it('asks before it removes', async () => {
    await using world = await makeBusyWorld()
    await using opened = await open(world, 'admin')
    const { page } = opened
    await page.getByRole('button', { name: 'Remove: broken' }).click()
    const dialog = page.getByRole('dialog', { name: 'Remove: broken?' })
    await dialog.waitFor()
    await page.keyboard.press('Escape')
    expect((await world.replicator.status()).length).toBe(2)
    await page.getByRole('button', { name: 'Remove: broken' }).click()
    await dialog.getByRole('button', { name: 'Go on' }).click()
    await page.getByText('broken: is removed.').waitFor()
    expect((await world.replicator.status()).map(({ name }) => name)).toEqual(['users'])
  })

  it('can be used with the keyboard alone, and keeps the focus while it is drawn anew', async () => {
    await using world = await makeBusyWorld()
    await using opened = await open(world, 'operate')
    const { page } = opened
    await page.keyboard.press('Tab')
    expect(await page.evaluate<unknown>('document.activeElement?.textContent')).toBe('Skip to content')
    await page.keyboard.press('Enter')
    const reached: unknown[] = []
    for (let presses = 0; presses < 8 && !reached.includes('Sync now: users'); presses += 1) {
      await page.keyboard.press('Tab')
      reached.push(await page.evaluate<unknown>('document.activeElement?.getAttribute("aria-label")'))
    }
    expect(reached).toContain('Sync now: users')
    const drawn = page.waitForResponse(/\/peers$/)
    await page.keyboard.press('Enter')
    await page.getByText('users: is synced.').waitFor()
    await drawn
    expect(await page.evaluate<unknown>('document.activeElement?.id')).toBe('sync-users')
  })

  it('goes on being current while a list has the focus, and leaves that alone', async () => {
    await using world = await makeBusyWorld()
    await using opened = await open(world, 'operate')
    const { page } = opened
    const choice = page.getByRole('combobox', { name: 'Time that the charts show' })
    await choice.focus()
    await choice.selectOption('Last day')
    await page.getByRole('img', { name: /Rows written/ }).waitFor()
    world.app.exec(`INSERT INTO users (id, name) VALUES (6000, 'new')`)
    await world.replicator.syncNow('users')
    await page.getByRole('img', { name: /In all 101 rows/ }).waitFor()
    expect(await page.evaluate<unknown>('[document.activeElement?.id, document.activeElement?.selectedOptions[0].text]')).toEqual(['window', 'Last day'])
  })

  it('fits a small screen, in either theme', async () => {
    await using world = await makeBusyWorld()
    await using opened = await open(world, 'admin', { width: 390, colorScheme: 'dark' })
    const { page } = opened
    expect(await page.evaluate<unknown>('document.documentElement.scrollWidth <= document.documentElement.clientWidth')).toBe(true)
    const groundOf = (): Promise<string> => page.evaluate<string>('getComputedStyle(document.body).backgroundColor')
    const dark = await groundOf()
    await page.getByRole('button', { name: 'Theme: auto' }).click()
    await page.getByRole('button', { name: 'Theme: light' }).waitFor()
    expect(await groundOf()).not.toBe(dark)
    await keep(page, 'small')
  })
})
