/**
 * A chat with a support assistant, whose every tool call is checked before it runs.
 *
 * `npm run example:chat` builds the page, starts the server on a free port of this machine and prints its address. With
 * `--check` it tells its story to itself, without a browser, and ends.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { serve } from '@hono/node-server'
import { build } from 'vite'
import { checkStory } from './check.ts'
import { createChat } from './server.ts'

const isCheck = process.argv.includes('--check')

const page = mkdtempSync(path.join(tmpdir(), 'holdpoint-chat-'))
await build({
  root: path.join(import.meta.dirname, 'page'),
  configFile: false,
  logLevel: 'error',
  build: { outDir: page, emptyOutDir: true },
})

const chat = await createChat({ page, wordMs: isCheck ? 0 : 30 })
const server = serve({ fetch: chat.app.fetch, hostname: '127.0.0.1', port: Number(process.env['PORT'] ?? 0) })
await new Promise((listening) => server.once('listening', listening))
const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`

const stop = async (): Promise<void> => {
  server.close()
  await chat.close()
  rmSync(page, { recursive: true, force: true })
}

if (isCheck) {
  await checkStory(url)
  await stop()
} else {
  console.log(`The chat is at ${url} (Ctrl-C ends it)`)
  process.once('SIGINT', () => void stop().then(() => process.exit(0)))
  process.once('SIGTERM', () => void stop().then(() => process.exit(0)))
}
