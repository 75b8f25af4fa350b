import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join, resolve } from 'node:path'

/** The private project with the driver of a browser, and the bundler. */
export const UI_FOLDER = resolve(import.meta.dirname, '../ui')
const ROOT = resolve(import.meta.dirname, '../..')
const packages = createRequire(join(UI_FOLDER, 'package.json'))

/** The browser: Debian's, or the one that is named. Playwright's own download is not asked for. */
export const CHROMIUM = process.env['HOLDPOINT_CHROMIUM'] ?? '/usr/bin/chromium'

/** Can {@link bundled} be used here? Tests skip otherwise; the setup prints why. */
export function isUiInstalled(): boolean {
  return (
    existsSync(join(UI_FOLDER, 'node_modules/esbuild')) && existsSync(join(UI_FOLDER, 'node_modules/playwright-core'))
  )
}

/** Is there a browser too? Prints a line where there is none. */
export function hasChromium(): boolean {
  if (!isUiInstalled()) return false
  if (existsSync(CHROMIUM)) return true
  console.log(`skipped: no Chromium at ${CHROMIUM} (apt-get install chromium, or set HOLDPOINT_CHROMIUM)`)
  return false
}

interface Esbuild {
  build(terms: object): Promise<{ readonly outputFiles: readonly { readonly contents: Uint8Array }[] }>
}

/** Modules of this repository as one minified file that a page can load. */
export async function bundled(source: string): Promise<Uint8Array> {
  const esbuild = packages('esbuild') as Esbuild
  const { outputFiles } = await esbuild.build({
    stdin: { contents: source, resolveDir: ROOT, loader: 'ts' },
    bundle: true,
    minify: true,
    format: 'esm',
    platform: 'browser',
    target: 'es2023',
    write: false,
    logLevel: 'silent',
  })
  const [file] = outputFiles
  if (file === undefined) throw new Error('the bundler gave nothing')
  return file.contents
}

/** What the tests use of a page. */
export interface Page {
  goto(url: string): Promise<unknown>
  evaluate<T>(run: string): Promise<T>
  textContent(selector: string): Promise<string | null>
  waitForSelector(selector: string): Promise<unknown>
  on(event: 'pageerror' | 'console', heard: (what: { readonly message?: string; text?(): string }) => void): void
}

interface Browser {
  version(): string
  newPage(): Promise<Page>
  close(): Promise<void>
}

interface Playwright {
  readonly chromium: { launch(terms: object): Promise<Browser> }
}

/** Starts the browser without a window. Its sandbox needs rights that a container's root has not. */
export async function startChromium(): Promise<Browser> {
  const { chromium } = packages('playwright-core') as Playwright
  return await chromium.launch({ executablePath: CHROMIUM, headless: true, args: ['--no-sandbox', '--disable-gpu'] })
}
