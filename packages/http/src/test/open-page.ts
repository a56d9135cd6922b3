import type { Browser, Page } from 'playwright-core'
import { SECRETS, type World } from './world.ts'

export interface OpenedPage extends AsyncDisposable {
  readonly page: Page
  /** Whatever the browser complained of: errors, refusals of the policy, requests to elsewhere. Not that an answer was no success. */
  readonly complaints: readonly string[]
}

export interface OpenPageOptions {
  readonly scope: 'read' | 'operate' | 'admin'
  readonly colorScheme?: 'dark' | 'light'
  readonly reducedMotion?: 'reduce' | 'no-preference'
  readonly width?: number
}

const screenshots = process.env['TIDEMARK_TEST_SCREENSHOTS']

/** The status page of a world, drawn. */
export async function openPage(browser: Browser, world: World, { scope, colorScheme = 'light', reducedMotion = 'no-preference', width = 1_280 }: OpenPageOptions): Promise<OpenedPage> {
  const context = await browser.newContext({ httpCredentials: { username: 'anybody', password: SECRETS[scope] }, colorScheme, reducedMotion, viewport: { width, height: 1_100 }, acceptDownloads: true })
  // Less than a test has, so that what is waited for in vain is named.
  context.setDefaultTimeout(10_000)
  const page = await context.newPage()
  const complaints: string[] = []
  page.on('console', (message) => {
    const text = message.text()
    if ((message.type() === 'error' || message.type() === 'warning') && !text.startsWith('Failed to load resource')) complaints.push(text)
  })
  page.on('pageerror', (error) => complaints.push(String(error)))
  page.on('request', (request) => { if (!request.url().startsWith(world.url) && !request.url().startsWith('data:')) complaints.push(`asked ${request.url()}`) })
  await page.addInitScript({ content: 'document.addEventListener("securitypolicyviolation", (violation) => console.error("policy: " + violation.violatedDirective))' })
  await page.goto(`${world.url}/`)
  await page.getByRole('heading', { name: 'Replications' }).waitFor()
  return { page, complaints, [Symbol.asyncDispose]: () => context.close() }
}

/** For people to look at, where `TIDEMARK_TEST_SCREENSHOTS` names a folder. */
export async function keepScreenshot(page: Page, name: string): Promise<void> {
  if (screenshots === undefined) return
  await page.evaluate('scrollTo({ top: 0, behavior: "instant" })')
  await page.screenshot({ path: `${screenshots}/${name}.png`, fullPage: true })
}
