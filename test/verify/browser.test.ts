import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { BundleReport, BundleTrust } from '../../src/verify.ts'
import { vectorFiles } from '../log/vectors.ts'
import { gateKey, newLog, Process } from '../support/bundles.ts'
import { bundled, hasChromium, isUiInstalled, type Page, startChromium } from '../support/ui.ts'

/** What a page has to load, gzipped, in bytes. More is a decision that somebody makes here. */
const MOST_GZIPPED = 41_000

const key = gateKey()
const gate = new Process(key, 'browser')
const log = newLog([gate.open(), ...gate.call('one'), ...gate.call('two'), gate.seal()])
const trust: BundleTrust = { keys: [key.publicJwk], log: log.policy(), checkpoints: [log.note(2)] }

describe.skipIf(!isUiInstalled())('the verifier as a page loads it', () => {
  it('is no larger than it was decided to be', async () => {
    const whole = await bundled("export { verifyBundle } from './src/verify.ts'")
    const size = gzipSync(whole, { level: 9 }).length
    console.log(`the verifier is ${whole.length} bytes, ${size} gzipped`)
    expect(size).toBeLessThan(MOST_GZIPPED)
  })
})

describe.skipIf(!hasChromium())('in Chromium', () => {
  let browser: Awaited<ReturnType<typeof startChromium>>
  let server: Server
  let page: Page
  const wrong: string[] = []

  beforeAll(async () => {
    const script = await bundled(`
      export { verifyBundle } from './src/verify.ts'
      export { verifyEd25519 } from './src/bytes/ed25519.ts'
      export { importTrustedKeys } from './src/receipt/keys.ts'`)
    const files = new Map<string, readonly [type: string, body: string | Uint8Array]>([
      ['/', ['text/html', readFileSync(new URL('./page.html', import.meta.url))]],
      ['/verify.js', ['text/javascript', script]],
      ['/trust.json', ['application/json', JSON.stringify(trust)]],
    ])
    server = createServer(({ url = '' }, answer) => {
      const [type, body] = files.get(url) ?? ['text/plain', '']
      answer.setHeader('content-type', type).end(body)
    }).listen(0, '127.0.0.1')
    await once(server, 'listening')
    browser = await startChromium()
    page = await browser.newPage()
    page.on('pageerror', ({ message }) => wrong.push(message ?? ''))
    await open()
  }, 60_000)
  afterAll(async () => {
    await browser.close()
    server.close()
  })

  async function open(): Promise<void> {
    await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`)
    await page.waitForSelector('body[data-ready]')
  }

  /** Drops a file on the page, and reads what it shows. */
  async function dropped(lines: readonly string[]): Promise<BundleReport> {
    await open()
    const text = JSON.stringify(`${lines.join('\n')}\n`)
    await page.evaluate(`{
      const dataTransfer = new DataTransfer()
      dataTransfer.items.add(new File([${text}], 'shop.holdpoint.jsonl'))
      document.querySelector('#zone').dispatchEvent(new DragEvent('drop', { dataTransfer, bubbles: true, cancelable: true }))
    }`)
    await page.waitForSelector('body[data-done]')
    return JSON.parse((await page.textContent('#report')) ?? '')
  }

  it('a bundle that is dropped on a page is verified there, with nothing of Node', async () => {
    const report = await dropped(await log.whole([3]))
    expect(wrong).toEqual([])
    expect(report).toMatchObject({ ok: true, complete: true, count: 6, verified: 6, failures: [] })
    const results = Object.fromEntries(report.checks.map(({ check, result }) => [check, result]))
    expect(results).toMatchObject({ inclusion: 'pass', consistency: 'pass', witnesses: 'pass', completeness: 'pass' })
  })

  it('one that was altered is not good there either', async () => {
    const lines = await log.whole()
    const altered = lines.with(3, (lines[3] ?? '').replace(/.{8}","leaf"/, 'AAAAAAAA","leaf"'))
    expect(await dropped(altered)).toMatchObject({
      ok: false,
      failures: [
        { index: 2, check: 'signature' },
        { index: 3, check: 'continuity' },
      ],
    })
    expect(await dropped(lines.slice(0, -1))).toMatchObject({ ok: false, failures: [{ check: 'bundle' }] })
  })

  const cctv = vectorFiles('cctv', 'ed25519').get('ed25519vectors.json')
  it.skipIf(cctv === undefined)('Ed25519 is as strict as in Node: the same 43 of 914', async () => {
    const taken = await page.evaluate<readonly (readonly string[])[]>(`(async () => {
      const { verifyEd25519 } = await import('./verify.js')
      const bytes = (hex) => Uint8Array.from(hex.match(/../g) ?? [], (two) => Number.parseInt(two, 16))
      const taken = []
      for (const { key, sig, msg, flags } of ${cctv?.toString('utf8')}) {
        if (await verifyEd25519(bytes(key), new TextEncoder().encode(msg), bytes(sig))) taken.push(flags ?? [])
      }
      return taken
    })()`)
    expect(taken).toHaveLength(43)
    const known = new Set(['low_order_component_A', 'low_order_component_R'])
    expect(taken.flat().filter((flag) => !known.has(flag))).toEqual([])
  })

  const wycheproof = vectorFiles('wycheproof', 'testvectors_v1')
  it.skipIf(wycheproof.size === 0)('every Wycheproof signature is answered as it says', async () => {
    const read = (name: string): string => wycheproof.get(name)?.toString('utf8') ?? ''
    const wrongOnes = await page.evaluate<readonly unknown[]>(`(async () => {
      const { verifyEd25519, importTrustedKeys } = await import('./verify.js')
      const bytes = (hex) => Uint8Array.from(hex.match(/../g) ?? [], (two) => Number.parseInt(two, 16))
      const base64url = (hex) => bytes(hex.padStart(64, '0').slice(-64)).toBase64({ alphabet: 'base64url', omitPadding: true })
      const wrong = []
      let count = 0
      const hold = (what, result, held) => { count += 1; if (held !== (result === 'valid')) wrong.push(what) }
      for (const { publicKey, tests } of ${read('ed25519_test.json')}.testGroups) {
        for (const { tcId, msg, sig, result } of tests) hold(tcId, result, await verifyEd25519(bytes(publicKey.pk), bytes(msg), bytes(sig)))
      }
      for (const { publicKey, tests } of ${read('ecdsa_secp256r1_sha256_p1363_test.json')}.testGroups) {
        const jwk = { kty: 'EC', crv: 'P-256', x: base64url(publicKey.wx), y: base64url(publicKey.wy) }
        const [key] = (await importTrustedKeys([jwk])).values()
        for (const { tcId, msg, sig, result } of tests) hold('p256 ' + tcId, result, await key.verify(bytes(sig), bytes(msg)))
      }
      return [count, ...wrong]
    })()`)
    expect(wrongOnes).toEqual([413])
  })
})
