import { existsSync, readFileSync } from 'node:fs'
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
  build(terms: object): Promise<{
    readonly outputFiles: readonly { readonly path: string; readonly contents: Uint8Array }[]
  }>
}

/** The other major of React that pages are tested with. */
const REACT_18 = join(UI_FOLDER, 'react-18/node_modules')

/** Is it installed? Tests of it skip otherwise; the setup prints why. */
export function isReact18Installed(): boolean {
  return existsSync(join(REACT_18, 'react-dom'))
}

/**
 * A page's modules as the files that a browser loads, by name: what is only loaded when needed is a file of its own.
 *
 * @param entry from the root of this repository
 */
export async function bundledPage(
  entry: string,
  options: { readonly react?: 18 | 19; readonly external?: readonly string[] } = {},
): Promise<ReadonlyMap<string, Uint8Array>> {
  const esbuild = packages('esbuild') as Esbuild
  // One React a page: the other major, or that of the private project with the chats of others.
  const own = entry.startsWith('test/ui/') ? join(UI_FOLDER, 'node_modules') : undefined
  const react = options.react === 18 ? REACT_18 : own
  const { outputFiles } = await esbuild.build({
    entryPoints: [join(ROOT, entry)],
    bundle: true,
    splitting: true,
    minify: true,
    format: 'esm',
    platform: 'browser',
    target: 'es2023',
    jsx: 'automatic',
    define: { 'process.env.NODE_ENV': '"production"' },
    ...(react === undefined ? {} : { alias: { react: join(react, 'react'), 'react-dom': join(react, 'react-dom') } }),
    external: options.external ?? [],
    write: false,
    outdir: '/out',
    logLevel: 'silent',
  })
  return new Map(outputFiles.map(({ path, contents }) => [path.slice('/out/'.length), contents]))
}

/** The text of the checker of accessibility, for a page to load. */
export function axeSource(): string {
  return readFileSync(packages.resolve('axe-core/axe.min.js'), 'utf8')
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
  click(selector: string): Promise<void>
  dblclick(selector: string): Promise<void>
  fill(selector: string, text: string): Promise<void>
  readonly keyboard: { press(key: string): Promise<void>; type(text: string): Promise<void> }
  emulateMedia(media: { readonly colorScheme?: 'light' | 'dark'; readonly reducedMotion?: 'reduce' }): Promise<void>
  setViewportSize(size: { readonly width: number; readonly height: number }): Promise<void>
  screenshot(terms: {
    readonly path?: string
    readonly clip?: { readonly x: number; readonly y: number; readonly width: number; readonly height: number }
  }): Promise<Uint8Array>
  /** The DevTools protocol, for what Playwright has no words for. */
  context(): { newCDPSession(page: Page): Promise<{ send<T>(method: string, terms?: object): Promise<T> }> }
  on(event: 'pageerror' | 'console', heard: (what: { readonly message?: string; text?(): string }) => void): void
}

interface Browser {
  version(): string
  newPage(): Promise<Page>
  /** A person's browser: its pages are tabs that share what is stored. */
  newContext(): Promise<{ newPage(): Promise<Page> }>
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
