import { existsSync } from 'node:fs'
import { chromium, type Browser } from 'playwright-core'

const PLACES = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome', '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome']

/** A real browser. One that can't be had is a failure, not a skip. */
export function launchChromium(): Promise<Browser> {
  const own = process.env['TIDEMARK_TEST_CHROMIUM']
  const executablePath = own ?? PLACES.find((place) => existsSync(place))
  if (executablePath === undefined) {
    throw new Error('The status page needs a Chromium. Set TIDEMARK_TEST_CHROMIUM to one, install the package `chromium` of Debian, or Google Chrome.')
  }
  // As root, in a container, it has no sandbox of its own.
  return chromium.launch({ executablePath, args: process.getuid?.() === 0 ? ['--no-sandbox'] : [] })
}
