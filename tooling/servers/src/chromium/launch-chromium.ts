import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { pathToFileURL } from 'node:url'
import { chromium, type Browser } from 'playwright-core'

const PLACES = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome', '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome']
const BINARIES = new URL('../../../server-binaries/package.json', import.meta.url)

/** A real browser. One that can't be had is a failure, not a skip. */
export async function launchChromium(): Promise<Browser> {
  const executablePath = process.env['TIDEMARK_TEST_CHROMIUM'] ?? PLACES.find((place) => existsSync(place)) ?? await fromNpm()
  if (executablePath === undefined) {
    throw new Error('The status page needs a Chromium. Set TIDEMARK_TEST_CHROMIUM to one, or install the package `chromium` of Debian, or Google Chrome.')
  }
  // As root, in a container, it has no sandbox of its own.
  return chromium.launch({ executablePath, args: process.getuid?.() === 0 ? ['--no-sandbox'] : [] })
}

/** The one of npm, for Linux; it unpacks itself into the folder of temporary files. */
async function fromNpm(): Promise<string | undefined> {
  if (process.platform !== 'linux') return undefined
  try {
    const entry = createRequire(BINARIES).resolve('@sparticuz/chromium')
    const shipped = await import(pathToFileURL(entry).href) as { readonly default: { executablePath(): Promise<string> } } // as its documentation has it
    return await shipped.default.executablePath()
  } catch {
    // Not installed, or not made for this machine: the caller says what to do.
    return undefined
  }
}
