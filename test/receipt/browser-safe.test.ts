import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { generateSigner } from '../../src/receipt/sign.ts'
import { createMemoryStore } from '../../src/store/memory.ts'
import { collect, jwsOf, openedChain, refusedDraft } from '../support/receipt-drafts.ts'
import { readSource } from '../support/source-reader.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))

/** Every file that a module reaches by imports that survive compilation, and every package. */
function reach(entry: string): { readonly files: readonly string[]; readonly packages: readonly string[] } {
  const files = new Set<string>()
  const packages = new Set<string>()
  const open = [join(root, entry)]
  for (let path = open.pop(); path !== undefined; path = open.pop()) {
    if (files.has(path)) continue
    files.add(path)
    for (const { specifier, kind } of readSource(path, readFileSync(path, 'utf8')).imports) {
      if (kind === 'type') continue
      if (specifier.startsWith('.')) open.push(join(dirname(path), specifier))
      else packages.add(specifier)
    }
  }
  return { files: [...files].map((path) => relative(root, path)), packages: [...packages].sort() }
}

describe('holdpoint/verify in a browser', () => {
  it('reaches no module of Node, and no package but the three that run everywhere (of zod the small one)', () => {
    const { files, packages } = reach('src/verify.ts')
    expect(packages).toEqual(['@noble/hashes/sha2.js', 'jose', 'zod/mini', 'zod/v4/core', 'zod/v4/locales/en.js'])
    expect(files).toContain('src/receipt/verify.ts')
    expect(files).not.toContain('src/bytes/digest.ts')
  })

  it('verifies where neither Buffer nor process exists', async () => {
    const store = createMemoryStore()
    const signer = generateSigner()
    await (await openedChain(store, { signer })).append(refusedDraft())
    const given = JSON.stringify({ jws: jwsOf(await collect(store.receipts())), keys: [signer.publicJwk] })
    const script = `
      const { argv, stdout } = process
      const { jws, keys } = JSON.parse(argv[1])
      delete globalThis.process
      delete globalThis.Buffer
      delete globalThis.setImmediate
      const { verifyReceipts } = await import(${JSON.stringify(new URL('../../src/verify.ts', import.meta.url).href)})
      stdout.write(JSON.stringify(await verifyReceipts(jws, { keys })))`
    const out = execFileSync(process.execPath, ['--input-type=module', '-e', script, given], { encoding: 'utf8' })
    expect(JSON.parse(out)).toMatchObject({ ok: true, verified: 2, failures: [] })
  })
})
