import { pathToFileURL } from 'node:url'
import { describe, expect, it } from 'vitest'
import { ownFiles } from '../../src/own-files.ts'

const home = '/home/ada'
const key = '/home/ada/.local/state/holdpoint/key.json'
const config = '/home/ada/shop/holdpoint.yaml'
const look = ownFiles(
  ['/home/ada/.local/state/holdpoint', key, config, '/home/ada/shop/policies', '/home/ada/rules/*.cedar'],
  {
    folder: '/home/ada/shop',
    home,
    state: '/home/ada/.local/state/holdpoint',
  },
)

describe('a call that names what judges it is found, however it spells the name', () => {
  it.each([
    ['absolute', { path: key }],
    ['relative to where the gate runs', { path: 'holdpoint.yaml' }],
    ['through a folder and back', { path: './src/../holdpoint.yaml' }],
    ['below a folder of ours', { path: '/home/ada/.local/state/holdpoint/receipts/0.sqlite' }],
    ['by the home of the user', { path: '~/.local/state/holdpoint/key.json' }],
    ['by the variable of the home', { path: '$HOME/.local/state/holdpoint/key.json' }],
    ['as a URL', { url: pathToFileURL(config).href }],
    ['as a URL with escapes', { url: 'file:///home/ada/shop/holdpoint%2Eyaml' }],
    ['percent-encoded', { path: '%2Fhome%2Fada%2Fshop%2Fholdpoint.yaml' }],
    ['in capitals, as some file systems read it', { path: '/HOME/ada/shop/Holdpoint.YAML' }],
    ['inside a longer text', { note: `please look at ${key}.` }],
    ['as a word of a command', { command: 'sed -i s/ask/allow/ holdpoint.yaml' }],
    ['quoted in a command', { command: `cat "${'~/.local/state/holdpoint/key.json'}"` }],
    ['as an argument of a command', { args: ['-n', 'holdpoint.yaml'] }],
    ['as the last word of a long command', { command: `${'true '.repeat(2_000)}; rm ./holdpoint.yaml` }],
    ['quoted in the middle of the name', { command: "rm /home/ada/shop/hold'point'.yaml" }],
    ['by the name of the user', { command: 'rm ~ada/.local/state/holdpoint/claims.db' }],
    ['after a change of folder', { command: 'cd ~/.local/state && rm holdpoint/claims.db' }],
    ['in a patch', { patch: '--- a/holdpoint.yaml\n+++ b/holdpoint.yaml\n' }],
    ['in a patch of another kind', { input: '*** Begin Patch\n*** Update File: holdpoint.yaml\n' }],
    ['in a database statement', { sql: "attach '~/.local/state/./holdpoint/claims.db' as x" }],
    ['as a URL in a database statement', { sql: "attach 'file:/home/ada/.local/./state/holdpoint/claims.db' as x" }],
    ['in two arguments', { dir: '/home/ada', name: 'shop/holdpoint.yaml' }],
    ['in two arguments, the folder last', { file: '../holdpoint.yaml', root: '/home/ada/shop/src' }],
    ['in segments', { path: ['home', 'ada', 'shop', 'holdpoint.yaml'] }],
    ['percent-encoded twice', { path: '/home/ada/shop/holdpoint%252eyaml' }],
    ['percent-encoded beside a stray percent sign', { path: '/home/ada/shop/../shop/hold%70oint.yaml/%' }],
    ['a policy that is not there yet', { path: 'policies/zz.cedar' }],
    ['the folder of policies', { source: '/tmp/x', destination: 'policies' }],
    ['a policy by the pattern it is read by', { path: '/home/ada/shop/../rules/zz.cedar' }],
  ])('%s', (_, input) => {
    expect(look(input, 'anything')).toBeDefined()
  })

  it.each([
    ['in a path', { path: '$HOLDPOINT_STATE/pins/files.json' }],
    ['in braces', { command: `rm -r "\${HOLDPOINT_STATE}"/pins` }],
    ['with what it is where nothing is set', { command: `cat \${HOLDPOINT_STATE:-/srv}/key.json` }],
    ['on Windows', { path: '%HOLDPOINT_STATE%/pins/files.json' }],
    ['in PowerShell', { script: 'del $env:Holdpoint_State/pins/files.json' }],
  ])('by the variable that says where our files are: %s', (_, input) => {
    expect(ownFiles(['/srv/hp'], { folder: '/home/ada/shop', home, state: '/srv/hp' })(input, 'anything')).toBeDefined()
  })

  it('says where it stands, in a member name too', () => {
    expect(look({ files: [{ at: 'a' }, { at: config }] }, 'write')).toBe('/files/1/at')
    expect(look({ files: { [config]: 'mode: observe' } }, 'write')).toBe('/files/~1home~1ada~1shop~1holdpoint.yaml')
  })

  it('knows the folders around them, for a tool that removes or moves', () => {
    expect(look({ path: '/home/ada' }, 'delete_directory')).toBe('/path')
    expect(look({ path: '.' }, 'files/removeAll')).toBe('/path')
    expect(look({ target_dir: '/home/ada' }, 'clear_folder')).toBe('/target_dir')
    expect(look({ to_delete: ['/home/ada/shop'] }, 'fs_rmtree')).toBe('/to_delete/0')
    expect(look({ source: '/home/ada/shop', destination: '/tmp/x' }, 'move_file')).toBe('/source')
  })
})

describe('a call that leaves them alone is let through', () => {
  it.each([
    ['a file beside it', { path: '/home/ada/shop/holdpoint.yaml.md' }, 'read_file'],
    ['a folder whose name begins the same', { path: '/home/ada/.local/state/holdpoint-notes' }, 'read_file'],
    ['the folder around it, listed', { path: '/home/ada/shop' }, 'list_directory'],
    ['the folder around it, as the place to work in', { cwd: '/home/ada/shop', path: 'dist' }, 'remove_folder'],
    ['the folder around it, as where something goes', { source: '/tmp/a', destination: '/home/ada/shop' }, 'move_file'],
    ['a text that speaks of the configuration', { content: 'Edit holdpoint.yaml by hand.' }, 'write_file'],
    ['a text that names our variable, and does not use it', { content: 'Set HOLDPOINT_STATE.' }, 'write_file'],
    ['a variable of a longer name', { path: '$HOLDPOINT_STATES/notes.md' }, 'read_file'],
    ['half an escape', { path: '%E0%A4%A' }, 'read_file'],
    ['a URL without a path', { url: 'file://host' }, 'read_file'],
    ['a word that is longer than any name', { command: `x/../%41/`.repeat(10_000) }, 'run'],
    [
      'a word that is also the name of a folder',
      { query: 'policies', table: 'policies', sql: 'select * from policies' },
      'find',
    ],
    ['a web address that ends like a path', { url: 'https://shop.example/home/ada/shop/policies/returns' }, 'fetch'],
    ['what a pattern does not read', { path: '/home/ada/rules/readme.md' }, 'write_file'],
    ['numbers and nothing', { a: 1, b: null, c: [true] }, 'read_file'],
  ])('%s', (_, input, tool) => {
    expect(look(input, tool)).toBeUndefined()
  })
})
