/** A process that pins a listing of its own, for tests in which several do so at once: `node … STATE NUMBER`. */
import { definitionDigest } from '../../src/bytes/definition-digest.ts'
import { pinFolder } from '../../src/store/pin-files.ts'
import type { ToolDefinition } from '../../src/types.ts'

const [, , folder = '', number = ''] = process.argv
process.stdin.once('data', () => {
  const definition: ToolDefinition = { name: 'read', description: `by ${number}`, origin: 'third-party' }
  const tools = new Map([['read', { digest: definitionDigest(definition), definition }]])
  const won = pinFolder(folder).pin({ server: 'notes', recordedAt: Date.now(), tools })
  process.stdout.write(
    JSON.stringify({ number, won, read: pinFolder(folder).read('notes')?.tools.get('read')?.definition.description }),
  )
  process.exit(0)
})
process.stdout.write('ready\n')
