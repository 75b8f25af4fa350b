import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { readUpstreamHeaders } from '../../../adapters/mcp-proxy/upstream-credentials.ts'
import { temporaryFolders } from '../../support/temporary-folder.ts'

const temporaryFolder = temporaryFolders()
const UPSTREAMS = new Set(['files', 'shop'])
const SECRET = 's3cr3t-value'

function read(...written: readonly string[]) {
  return readUpstreamHeaders(written, UPSTREAMS, { TOKEN: SECRET, EMPTY: '', BROKEN: 'a\r\nX-Evil: 1' })
}

/** A file of headers with these lines. */
function file(text: string, mode = 0o600): string {
  const path = join(temporaryFolder(), 'headers')
  writeFileSync(path, text)
  chmodSync(path, mode)
  return path
}

describe('credentials for an upstream', () => {
  it('come from the environment, and go to that upstream alone', () => {
    // biome-ignore lint/suspicious/noTemplateCurlyInString: a variable of the environment, as the operator writes it
    const found = read('files=Authorization: Bearer ${TOKEN}', 'shop=X-Tenant: acme=1')
    expect(found.headers.get('files')).toEqual(new Map([['authorization', `Bearer ${SECRET}`]]))
    expect(found.headers.get('shop')).toEqual(new Map([['x-tenant', 'acme=1']]))
  })

  it('name the variables that they came from, so that no other server gets those', () => {
    const path = file(`X-Api-Key: \${TOKEN}\n`)
    // biome-ignore lint/suspicious/noTemplateCurlyInString: as above
    for (const written of ['files=Authorization: Bearer ${TOKEN}', `shop=@${path}`])
      expect(read(written, 'shop=X-Tenant: acme').variables).toEqual(new Set(['TOKEN']))
  })

  it('come from a file that this user alone can read, with comments and variables', () => {
    const path = file(`# of the shop\r\n\r\nAuthorization: Bearer abc\r\nX-Api-Key: \${TOKEN}\r\n`)
    const expected = new Map([
      ['authorization', 'Bearer abc'],
      ['x-api-key', SECRET],
    ])
    expect(read(`shop=@${path}`).headers.get('shop')).toEqual(expected)
  })

  it.each([0o640, 0o604, 0o644])('are not taken from a file that others can read (%o)', (mode) => {
    if (process.platform === 'win32') return console.log('skipped: no modes on Windows')
    expect(() => read(`shop=@${file(`Authorization: Bearer ${SECRET}`, mode)}`)).toThrow(
      /other users can read .*chmod 600/,
    )
  })

  it('are not taken from a folder, an empty file, or a file that is not there', () => {
    const folder = join(temporaryFolder(), 'folder')
    mkdirSync(folder)
    expect(() => read(`shop=@${folder}`)).toThrow(/not a regular file|cannot be read/)
    expect(() => read(`shop=@${file('# nothing\n')}`)).toThrow(/holds no header/)
    expect(() => read(`shop=@${folder}/nothing`)).toThrow(/cannot be read \(ENOENT\)/)
  })

  it('are not written on the command line, where every user of the machine can read them', () => {
    for (const header of ['Authorization', 'Cookie', 'X-API-Key', 'apikey', 'X-Auth-Token']) {
      expect(() => read(`files=${header}: ${SECRET}`)).toThrow(/whoever lists the processes/)
    }
  })

  it.each([
    // biome-ignore-start lint/suspicious/noTemplateCurlyInString: as above
    ['files=Authorization: Bearer ${MISSING}', /for files: authorization needs the variable MISSING, which is not set/],
    ['files=Authorization: Bearer ${EMPTY}', /EMPTY, which is empty/],
    ['files=X-Broken: ${BROKEN}', /the value of x-broken is empty, or cannot stand in a header/],
    // biome-ignore-end lint/suspicious/noTemplateCurlyInString: as above
    ['files=Authorization Bearer', /must be written "Header: value"/],
    ['files=Mcp-Method: tools/list', /the proxy's own/],
    ['files=Host: evil.example', /the proxy's own/],
    ['other=X-A: 1', /there is no upstream "other".*NAME is files or shop/],
    [`Authorization: Bearer ${SECRET}`, /begins with no name of an upstream/],
  ])('that are unusable say what is missing: %s', (written, message) => {
    expect(() => read(written)).toThrow(message)
  })

  it('are not given twice', () => {
    expect(() => read('files=X-A: 1', 'files=x-a: 2')).toThrow(/header x-a is given twice/)
  })

  it('stand in no message', () => {
    const path = file(`Authorization: ${SECRET}\nHost: ${SECRET}\n`)
    for (const written of [`files=Cookie: ${SECRET}`, `Bearer ${SECRET}=x`, `files=@${path}`, `files=${SECRET}`]) {
      let message = ''
      try {
        read(written)
      } catch (error) {
        message = String(error)
      }
      expect(message).toMatch(/ERR|upstream-header/)
      expect(message).not.toContain(SECRET)
    }
  })
})
