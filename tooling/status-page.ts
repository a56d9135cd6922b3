import { createHash } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { gzipSync } from 'node:zlib'
import { buildSync } from 'esbuild'

const SOURCE = 'packages/http/page/src'
export const PAGE = 'packages/http/src/page/status-page.ts'

/** More than this, compressed, is not a page that loads at once. */
const MAX_GZIP_BYTES = 30_000

/** The status page as one file, and the policy that lets a browser run this page and nothing else. `node tooling/status-page.ts` writes it. */
export function statusPageText(): string {
  const script = bundled('main.ts')
  const style = bundled('style.css')
  const html = readFileSync(`${SOURCE}/index.html`, 'utf8').replace('/* style */', () => style).replace('/* script */', () => script)
  const gzipBytes = gzipSync(html).length
  if (gzipBytes > MAX_GZIP_BYTES) throw new Error(`The status page has ${gzipBytes} bytes compressed; ${MAX_GZIP_BYTES} are allowed.`)
  const policy = [
    'default-src \'none\'', `script-src ${hashOf(script)}`, `style-src ${hashOf(style)}`, 'connect-src \'self\'', 'img-src data:', 'base-uri \'none\'', 'form-action \'none\'', 'frame-ancestors \'none\'',
  ].join('; ')
  return `// Made of packages/http/page by tooling/status-page.ts. Do not edit.

export const PAGE_POLICY = ${JSON.stringify(policy)}

export const PAGE_HTML = ${JSON.stringify(html)}
`
}

/** No script may end the element that it is in. */
function bundled(file: string): string {
  const { outputFiles } = buildSync({ entryPoints: [`${SOURCE}/${file}`], bundle: true, minify: true, write: false, format: 'iife', target: 'es2022', charset: 'utf8', legalComments: 'none' })
  const text = (outputFiles[0]?.text ?? '').trimEnd()
  if (text === '' || /<\/(script|style)/i.test(text)) throw new Error(`${file} can not stand in a page.`)
  return text
}

function hashOf(text: string): string {
  return `'sha256-${createHash('sha256').update(text).digest('base64')}'`
}

if (import.meta.main) writeFileSync(PAGE, statusPageText())
