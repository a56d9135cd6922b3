import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { gzipSync } from 'node:zlib'
import { launchChromium } from '@tidemark/test-servers/chromium'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { PAGE_HTML } from './page/status-page.ts'
import { keepScreenshot, openPage } from './test/open-page.ts'
import { makeShowcase } from './test/showcase.ts'
import { makeWorld, type World } from './test/world.ts'

let browser: Browser
beforeAll(async () => { browser = await launchChromium() })
afterAll(() => browser.close())

async function makeBusyWorld(options: Parameters<typeof makeWorld>[0] = {}): Promise<World> {
  const world = await makeWorld({ basePath: '/data', ...options })
  await world.replicator.syncNow('users')
  await world.replicator.syncNow('broken').catch(() => undefined)
  await world.replicator.start()
  await world.propagator.flush()
  await world.exporter.finish((await world.exporter.start({ fileName: 'earlier' })).id)
  return world
}

const textOf = async (page: Page, table: string, row: RegExp): Promise<string> =>
  await page.getByRole('table', { name: table }).getByRole('row', { name: row }).textContent() ?? ''

describe('the status page', () => {
  it('is small, and is one file', () => {
    expect(gzipSync(PAGE_HTML).length).toBeLessThanOrEqual(30_000)
    expect(PAGE_HTML).not.toMatch(/<(script|link|img|iframe)[^>]+(src|href)="(?!data:)/)
  })

  it('shows all that goes on, with the way out of what went wrong', async () => {
    await using world = await makeShowcase()
    await using opened = await openPage(browser, world, { scope: 'admin' })
    const { page, complaints } = opened
    expect(await textOf(page, 'Replications', /^customers/)).toMatch(/customers → customers.*waiting\d.*up to datein 5 min|4\.\d min/)
    expect(await textOf(page, 'Replications', /^orders/)).toMatch(/syncing.*First load: [\d,]+ of about 60,000 rows[\d,]+ rows\/s/)
    expect(Number(await page.getByRole('progressbar', { name: 'orders: First load' }).getAttribute('value'))).toBeGreaterThan(0)
    expect(await textOf(page, 'Replications', /^invoices/)).toContain('TABLE_UNKNOWNThe source has no table or view \'invoices\'.Way out: Check the name, its schema and its letter case.')
    expect(await page.getByRole('img', { name: /Time since the last sync/ }).getAttribute('aria-label')).toMatch(/customers: now \d.*; events: now \d/)
    expect(await page.locator('#lag polyline').count()).toBe(2)
    expect(await page.getByRole('img', { name: /Rows written/ }).getAttribute('aria-label')).toMatch(/In all 2,\d+ rows; \d runs failed/)
    expect(await page.locator('#throughput rect').count()).toBeGreaterThan(20)
    expect(await page.locator('#throughput circle').count()).toBeGreaterThanOrEqual(2)
    expect(await page.getByRole('table', { name: 'Run history' }).getByRole('row').count()).toBeGreaterThan(30)
    expect(await textOf(page, 'Exports', /processing/)).toMatch(/sql · [\d,]+ rows · [\d.]+ kB\d of 2 tables, about [\d,]+ rows in all/)
    expect(Number(await page.getByRole('progressbar', { name: /^Export/ }).getAttribute('value'))).toBeGreaterThan(0)
    expect(await textOf(page, 'Imports', /failed/)).toMatch(/0 of 4,100 rows.*TARGET_NOT_OWNED.*Way out: Load into an empty database/)
    expect(await textOf(page, 'Sources of changes', /^app/)).toContain('none')
    expect(await textOf(page, 'Peers', /^warehouse/)).toMatch(/retrying.*PEER_UNREACHABLE.*Way out: Check the peer's address/)
    expect(await page.getByRole('navigation', { name: 'Overview' }).textContent()).toMatch(/replication invoices TABLE_UNKNOWN.*Replications41 failed.*Exports31 under way.*Peers11 behind/)
    expect(await page.locator('#health').textContent()).toBe('2 things need a look')
    await keepScreenshot(page, 'light')
    world.goOn()
    await page.getByRole('row', { name: /^orders.*up to date/ }).waitFor()
    expect(complaints).toEqual([])
  })

  it('leads from what needs a look to where it stands', async () => {
    await using world = await makeBusyWorld()
    await using opened = await openPage(browser, world, { scope: 'read' })
    const { page } = opened
    await page.getByRole('link', { name: 'replication broken' }).click()
    expect(await page.evaluate<unknown>('document.activeElement?.id')).toBe('replications')
    await page.getByRole('link', { name: /^Peers/ }).click()
    expect(await page.evaluate<unknown>('document.activeElement?.id')).toBe('peers')
  })

  it('shows the runs of one replication, and why one failed when that is opened', async () => {
    await using world = await makeBusyWorld()
    await using opened = await openPage(browser, world, { scope: 'read' })
    const { page } = opened
    await page.getByRole('combobox', { name: 'Replication whose runs are shown' }).selectOption('broken')
    const runs = page.getByRole('table', { name: 'Run history' })
    await runs.getByRole('row', { name: /users/ }).waitFor({ state: 'detached' })
    await runs.getByRole('row', { name: /broken/ }).first().locator('summary').click()
    const remedy = runs.getByText('Check the name, its schema').first()
    await remedy.waitFor()
    await page.waitForResponse(/\/peers$/)
    await page.waitForResponse(/\/peers$/)
    expect(await remedy.isVisible()).toBe(true)
  })

  it('syncs, stops and starts a replication', async () => {
    await using world = await makeBusyWorld()
    await using opened = await openPage(browser, world, { scope: 'operate' })
    const { page, complaints } = opened
    world.app.exec(`INSERT INTO users (id, name) VALUES (5000, 'new')`)
    await page.getByRole('button', { name: 'Sync now: users' }).click()
    await page.getByText('users is synced.').waitFor()
    expect((await world.replicator.status())[0]?.lastSyncValue).toBe('i:5000')
    await page.getByRole('button', { name: 'Stop: users' }).click()
    await page.getByRole('button', { name: 'Start: users' }).click()
    await page.getByRole('button', { name: 'Stop: users' }).waitFor()
    expect((await world.replicator.status())[0]?.isActive).toBe(true)
    await page.getByRole('button', { name: 'Sync now: broken' }).click()
    const notice = page.locator('#notice', { hasText: 'TABLE_UNKNOWN' })
    await notice.waitFor()
    expect(await notice.textContent()).toContain('Way out: ')
    await page.getByRole('button', { name: 'Dismiss' }).click()
    await notice.waitFor({ state: 'detached' })
    expect(complaints).toEqual([])
  })

  it('configures a replication, and shows each fault at its field', async () => {
    await using world = await makeShowcase()
    await using opened = await openPage(browser, world, { scope: 'admin' })
    const { page, complaints } = opened
    await page.getByRole('button', { name: 'Add replication' }).click()
    const form = page.getByRole('dialog', { name: 'Add a replication' })
    expect(await form.getByLabel('Host').isVisible()).toBe(false)
    await form.getByLabel('Source', { exact: true }).selectOption('sqlite')
    await form.getByLabel('Database').fill(join(world.folder, 'app.db'))
    await form.getByLabel('Port').fill('not a number')
    await form.getByLabel('Name', { exact: false }).first().fill('notes')
    await form.getByLabel('Minutes between syncs').fill('-1')
    await form.getByRole('button', { name: 'Save' }).click()
    await form.getByRole('alert').getByText('CONFIG_INVALID').waitFor()
    expect(await form.getByRole('alert').textContent()).toContain('Way out: Correct what')
    const faults = await page.evaluate<unknown>('[...document.querySelectorAll("[aria-invalid]")].map((field) => [field.name, document.getElementById(field.id + "-fault").textContent.trim()])')
    expect(faults).toEqual([
      ['sourceTable', expect.stringMatching(/.+\.$/)], ['targetTable', expect.stringMatching(/.+\.$/)],
      ['sourceConfig.port', expect.stringMatching(/number/)], ['syncIntervalMinutes', expect.stringMatching(/greater/)],
    ])
    expect(await page.evaluate<unknown>('document.activeElement?.name')).toMatch(/sourceTable|sourceConfig.port/)
    await keepScreenshot(page, 'form')
    for (const [label, text] of [['Source table', 'notes'], ['Target table', 'notes_copy'], ['Port', ''], ['Minutes between syncs', '5']] as const) await form.getByLabel(label).fill(text)
    await form.getByRole('button', { name: 'Save' }).click()
    await page.getByText('notes is configured.').waitFor()
    await page.getByRole('row', { name: /^notes.*up to date/ }).waitFor()
    expect((await world.replicator.status()).find(({ name }) => name === 'notes')).toMatchObject({ sourceTable: 'notes', targetTable: 'notes_copy', syncIntervalMinutes: 5, isActive: true })
    expect(complaints).toEqual([])
  })

  it('makes an export, downloads it, and cancels another', async () => {
    await using world = await makeShowcase()
    await using opened = await openPage(browser, world, { scope: 'admin' })
    const { page, complaints } = opened
    await page.getByRole('button', { name: 'Export: database' }).click()
    await page.getByText('An export has begun.').waitFor()
    await page.getByRole('row', { name: /pending|processing/ }).nth(1).waitFor()
    await page.getByRole('button', { name: `Cancel: export ${world.pendingExport.slice(-8)}` }).click()
    await page.getByRole('row', { name: /cancelled/ }).waitFor()
    const [whole] = await Promise.all([page.waitForEvent('download'), page.getByRole('link', { name: /^Download: export/ }).click()])
    expect(readFileSync(await whole.path(), 'utf8')).toContain('CREATE TABLE users')
    await page.getByRole('button', { name: /^Files: export/ }).click()
    const [file] = await Promise.all([page.waitForEvent('download'), page.getByRole('link', { name: /^Download: .*users.*\.csv/ }).click()])
    expect(readFileSync(await file.path(), 'utf8')).toContain('user 1')
    await page.getByRole('button', { name: /^Delete: export/ }).first().click()
    await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click()
    await page.getByText(/^The export \w+ is deleted/).waitFor()
    expect(complaints).toEqual([])
  })

  it('goes on with an import that failed, stops it, and forgets it', async () => {
    await using world = await makeShowcase()
    await using opened = await openPage(browser, world, { scope: 'admin' })
    const { page, complaints } = opened
    await page.getByRole('combobox', { name: 'Id of the dump to import' }).fill('export_none')
    await page.getByRole('button', { name: 'Import: dump' }).click()
    await page.locator('#notice', { hasText: 'DUMP_INCOMPLETE' }).waitFor()
    const target = new DatabaseSync(join(world.folder, 'imported.db'))
    target.exec('DROP TABLE users')
    const goOn = page.getByRole('button', { name: /^Go on: import/ })
    const row = (name: RegExp): Promise<void> => page.getByRole('table', { name: 'Imports' }).getByRole('row', { name }).waitFor()
    await goOn.click()
    await row(/loading/)
    await page.getByRole('button', { name: /^Stop: import/ }).click()
    await row(/stopped/)
    await goOn.click()
    await row(/loading/)
    expect(Number(await page.getByRole('progressbar', { name: /^Import/ }).getAttribute('value'))).toBeGreaterThan(0)
    world.goOn()
    await row(/completed.*4,100 of 4,100 rows/)
    expect(await goOn.count()).toBe(0)
    expect(target.prepare('SELECT count(*) AS rows FROM notes').get()).toEqual({ rows: 4_000 })
    target.close()
    await page.getByRole('button', { name: /^Forget: import/ }).click()
    await page.getByRole('dialog').getByRole('button', { name: 'Forget' }).click()
    await page.getByText('There are no imports.').waitFor()
    expect(complaints).toEqual([])
  })

  it('offers what the caller may do, and nothing else', async () => {
    await using world = await makeShowcase()
    await using opened = await openPage(browser, world, { scope: 'read' })
    const { page } = opened
    expect(await page.locator('#scopes').textContent()).toBe('You may: read')
    expect(await page.getByRole('main').getByRole('button').count()).toBe(0)
    expect(await page.locator('section a, section input').count()).toBe(0)
    await page.getByText('Rows are shown to who has the scope operate.').waitFor()
    await using operator = await openPage(browser, world, { scope: 'operate' })
    const names = await operator.page.getByRole('main').getByRole('button').evaluateAll((buttons) => buttons.map((one) => one.getAttribute('aria-label') ?? one.textContent))
    expect(names.filter((name) => /Remove|Delete|Add|Import|Go on|Forget/.test(name))).toEqual([])
    expect(names).toEqual(expect.arrayContaining(['Sync now: orders', 'Stop: orders', 'Export: database', 'Follow']))
  })

  it('asks before it removes', async () => {
    await using world = await makeBusyWorld()
    await using opened = await openPage(browser, world, { scope: 'admin' })
    const { page } = opened
    await page.getByRole('button', { name: 'Remove: broken' }).click()
    const dialog = page.getByRole('dialog', { name: 'Remove: broken?' })
    await dialog.waitFor()
    await page.keyboard.press('Escape')
    expect((await world.replicator.status()).length).toBe(2)
    await page.getByRole('button', { name: 'Remove: broken' }).click()
    await dialog.getByRole('button', { name: 'Remove' }).click()
    await page.getByText('broken is removed.').waitFor()
    expect((await world.replicator.status()).map(({ name }) => name)).toEqual(['users'])
  })

  it('goes on being current while a list has the focus, and leaves that alone', async () => {
    await using world = await makeBusyWorld()
    await using opened = await openPage(browser, world, { scope: 'operate' })
    const { page } = opened
    const choice = page.getByRole('combobox', { name: 'Time that the charts show' })
    expect(await choice.inputValue()).toBe('900000')
    await choice.focus()
    await choice.selectOption('Last day')
    await page.getByRole('img', { name: /Rows written/ }).waitFor()
    world.app.exec(`INSERT INTO users (id, name) VALUES (6000, 'new')`)
    await world.replicator.syncNow('users')
    await page.getByRole('img', { name: /In all 101 rows/ }).waitFor()
    expect(await page.evaluate<unknown>('[document.activeElement?.id, document.activeElement?.selectedOptions[0].text]')).toEqual(['window', 'Last day'])
  })

  it('keeps its elements while it is drawn anew, so that a selection and a press under way stay', async () => {
    await using world = await makeBusyWorld()
    await using opened = await openPage(browser, world, { scope: 'operate' })
    const { page } = opened
    const mark = '[...document.querySelectorAll("main tr, main button, main input, main select, main svg")]'
    await page.evaluate(`window.marked = ${mark}`)
    await page.waitForResponse(/\/peers$/)
    await page.waitForResponse(/\/peers$/)
    expect(await page.evaluate<unknown>('window.marked.filter((one) => !one.isConnected).length')).toBe(0)
  })
})
