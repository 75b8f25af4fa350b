import {
  chmodSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { parse } from 'jsonc-parser'
import { describe, expect, it, vi } from 'vitest'
import { isServerName } from '../../src/bytes/names.ts'
import { readWhole, replaceWhole } from '../../src/cli/wrap/replace-file.ts'
import { temporaryFolders } from '../support/temporary-folder.ts'
import { runHere } from './in-process.ts'

const temporaryFolder = temporaryFolders()

function file(text: string | Uint8Array, name = 'mcp.json'): string {
  const path = join(temporaryFolder(), name)
  writeFileSync(path, text)
  return path
}

/** Wraps a text, and says what the file holds then. */
async function wrapped(text: string, ...flags: readonly string[]): Promise<string> {
  const path = file(text)
  const { code, stderr } = await runHere('wrap', path, ...flags)
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  return readFileSync(path, 'utf8')
}

/** Wraps, and takes it back. */
async function thereAndBack(text: string, ...flags: readonly string[]): Promise<string> {
  return await wrapped(await wrapped(text, ...flags), '--undo', ...flags)
}

const FILES = `{ "mcpServers": { "files": { "command": "npx", "args": ["-y", "@modelcontextprotocol/server-filesystem", "/home/me/notes"] } } }
`

describe('a host’s configuration', () => {
  it('gets one word before each server’s own command', async () => {
    expect(await wrapped(FILES)).toBe(
      `{ "mcpServers": { "files": { "command": "npx", "args": ["-y", "holdpoint", "mcp", "--name", "files", "--", "npx", "-y", "@modelcontextprotocol/server-filesystem", "/home/me/notes"] } } }
`,
    )
    expect(await thereAndBack(FILES)).toBe(FILES)
  })

  it('keeps its comments, its order, its trailing commas and its line breaks', async () => {
    const text = [
      '// mine',
      '{',
      '\t"theme": "dark", // as it should be',
      '\t"context_servers": {',
      '\t\t"notes": {',
      '\t\t\t/* the program */ "command": "uvx",',
      '\t\t\t"args": [',
      '\t\t\t\t"notes-server", // from PyPI',
      '\t\t\t\t"--root",',
      '\t\t\t\t"/home/me",',
      '\t\t\t],',
      '\t\t\t"env": { "TOKEN": "\\u0061", },',
      '\t\t},',
      '\t},',
      '}',
      '',
    ].join('\r\n')
    const after = await wrapped(text)
    expect(after).toBe(
      text.replace('"uvx"', '"npx"').replace(
        '\t\t\t\t"notes-server"',
        ['-y', 'holdpoint', 'mcp', '--name', 'notes', '--', 'uvx']
          .map((word) => `\t\t\t\t"${word}",\r\n`)
          .join('')
          .concat('\t\t\t\t"notes-server"'),
      ),
    )
    expect(await wrapped(after, '--undo')).toBe(text)
  })

  it('is wrapped once, however often it is asked', async () => {
    const once = await wrapped(FILES)
    expect(await wrapped(once)).toBe(once)
    const { stdout } = await runHere('wrap', file(once))
    expect(stdout).toMatch(/nothing to wrap\n/)
    expect(stdout).not.toContain('Restart')
  })

  it('is known as wrapped whatever flags somebody gave holdpoint by hand, and loses all of them again', async () => {
    const text = `{"servers":{"shop":{"type":"stdio","command":"/opt/bin/holdpoint","args":["mcp","--name","shop","--policy","a.cedar","--","node","shop.js"]}}}`
    expect(await wrapped(text)).toBe(text)
    expect(await wrapped(text, '--undo')).toBe(
      '{"servers":{"shop":{"type":"stdio","command":"node","args":["shop.js"]}}}',
    )
  })

  it.each([
    ['no args', '{"mcpServers":{"a":{"command":"server"}}}'],
    ['no args, and a comment', '{"mcpServers":{"a":{\n  "command": "server" // mine\n}}}'],
    ['no args, and members after it', '{"mcpServers":{"a":{\n  "command" : "server",\n  "env": {}\n}}}'],
    ['empty args', '{"mcpServers":{"a":{"command":"server","args":[]}}}'],
    ['empty args with a comment', '{"mcpServers":{"a":{"args":[ /* , */ ],"command":"server"}}}'],
    ['an escaped command', '{"mcpServers":{"a":{"command":"\\u006eode","args":["\\u0061"]}}}'],
    ['a command that is ours already', '{"mcpServers":{"a":{"command":"npx"}}}'],
    ['a byte order mark', '\ufeff{"mcpServers":{"a":{"command":"server"}}}'],
    ['the older form of Zed', '{"context_servers":{"a":{"command":{"path":"server","args":["x"],"env":null}}}}'],
    ['the older form of Zed, with no args', '{"context_servers":{"a":{"command":{"path":"server"}}}}'],
    ['the form of OpenCode', '{"mcp":{"a":{"type":"local","command":["bun","x","server"],"enabled":false}}}'],
    ['the settings of VS Code', '{"mcp":{"inputs":[],"servers":{"a":{"command":"server","args":["x"]}}}}'],
    ['servers of projects', '{"projects":{"/a":{"mcpServers":{"a":{"command":"server"}}}}}'],
    ['two kinds in one file', '{"mcpServers":{"a":{"command":"s"}},"servers":{"b":{"command":"s","args":[]}}}'],
  ])('with %s comes back as it was', async (_, text) => {
    const after = await wrapped(text)
    expect(after).not.toBe(text)
    expect(after).toContain('"holdpoint"')
    expect(await wrapped(after, '--undo')).toBe(text)
  })

  it('can be taken back after an editor has set it anew', async () => {
    const original = { mcpServers: { a: { command: 'server' }, b: { command: 'other', args: [] } } }
    const after = parse(await wrapped(JSON.stringify(original)))
    expect(parse(await wrapped(JSON.stringify(after, null, 4), '--undo'))).toEqual(original)
    const { command, args } = after.mcpServers.a
    const moved = { mcpServers: { a: { args, env: {}, command } } }
    expect(parse(await wrapped(JSON.stringify(moved, null, 2), '--undo'))).toEqual({
      mcpServers: { a: { env: {}, command: 'server' } },
    })
    const longer = '{"mcpServers":{"a":{"command":"npx","args":["-y","holdpoint","mcp","--name","a","--","server",],}}}'
    expect(await wrapped(longer, '--undo')).toBe('{"mcpServers":{"a":{"command":"server","args":[],}}}')
  })

  it('lets the host find npx where it found it before: by its full path, and on Windows through cmd or npx.cmd', async () => {
    const servers = {
      path: { command: '/home/me/.nvm/versions/node/v24.0.0/bin/npx', args: ['server'] },
      cmd: { command: 'C:\\Windows\\System32\\cmd.exe', args: ['/C', 'npx', '-y', 'server'] },
      dot: { command: 'C:\\node\\npx.cmd', args: ['server'] },
      exe: { command: 'C:\\tools\\server.exe', args: ['/c'] },
    }
    const text = JSON.stringify({ mcpServers: servers })
    const { mcpServers: after } = parse(await wrapped(text))
    expect(after).toEqual({
      path: {
        command: servers.path.command,
        args: ['-y', 'holdpoint', 'mcp', '--name', 'path', '--', servers.path.command, 'server'],
      },
      cmd: {
        command: servers.cmd.command,
        args: [
          ...['/C', 'npx', '-y', 'holdpoint', 'mcp', '--name', 'cmd', '--'],
          ...[servers.cmd.command, '/C', 'npx', '-y', 'server'],
        ],
      },
      dot: {
        command: servers.dot.command,
        args: ['-y', 'holdpoint', 'mcp', '--name', 'dot', '--', servers.dot.command, 'server'],
      },
      exe: { command: 'npx', args: ['-y', 'holdpoint', 'mcp', '--name', 'exe', '--', servers.exe.command, '/c'] },
    })
    expect(await thereAndBack(text)).toBe(text)
  })

  it('can start holdpoint by another command, which --undo must know when it does not look like holdpoint', async () => {
    for (const command of ['node /srv/main.js', '["node", "/srv/my tools/main.js"]']) {
      const after = await wrapped(FILES, '--command', command)
      expect(parse(after).mcpServers.files.command).toBe('node')
      expect(parse(after).mcpServers.files.args.slice(1, 5)).toEqual(['mcp', '--name', 'files', '--'])
      expect(await wrapped(after, '--command', command)).toBe(after)
      expect(await wrapped(after, '--undo', '--command', command)).toBe(FILES)
    }
    const after = await wrapped(FILES, '--command', 'node /srv/holdpoint.js')
    expect(await wrapped(after, '--undo')).toBe(FILES)
  })

  it('is not taken for wrapped because a server has a command called mcp', async () => {
    const text = '{"mcpServers":{"a":{"command":"supabase","args":["mcp","--name","a","--","x"]}}}'
    expect(await wrapped(text)).toContain('"--", "supabase", "mcp"'.replaceAll(', ', ','))
  })
})

describe('names', () => {
  it('of servers become our own by a rule that gives the same name wherever and beside whatever they stand', async () => {
    const names = [
      'My Files',
      'my_files',
      'GitHub',
      'local',
      'ünïcode',
      '漢字',
      'a'.repeat(40),
      'A'.repeat(40),
      '__proto__',
    ]
    const text = (some: readonly string[]): string =>
      `{"mcpServers":{${some.map((name) => `${JSON.stringify(name)}:{"command":"x","args":["y"]}`).join(',')}}}`
    const ownNames = async (some: readonly string[]): Promise<string[]> => {
      const after = await wrapped(text(some))
      return [...after.matchAll(/"--name", "([^"]+)"/g)].map(([, name = '']) => name)
    }
    const all = await ownNames(names)
    expect(all.every(isServerName)).toBe(true)
    expect(new Set(all).size).toBe(names.length)
    expect(all[0]).toMatch(/^my-files-[0-9a-f]{8}$/)
    expect(all[3]).toMatch(/^local-[0-9a-f]{8}$/)
    const alone = await Promise.all(names.map((name) => ownNames([name])))
    expect(alone.flat()).toEqual(all)
    expect(await thereAndBack(text(names))).toBe(text(names))
  })

  it('of servers of several projects do not share pins', async () => {
    const projects = { '/a': { mcpServers: { db: { command: 'a' } } }, '/b': { mcpServers: { db: { command: 'b' } } } }
    const text = JSON.stringify({ mcpServers: { db: { command: 'c' } }, projects })
    const names = [...(await wrapped(text)).matchAll(/"--name=([^"]+)"/g)].map(([, name]) => name)
    expect(names[0]).toBe('db')
    expect(new Set(names).size).toBe(3)
    expect(await thereAndBack(text)).toBe(text)
  })

  it('that would become one are refused', async () => {
    const first = await wrapped('{"mcpServers":{"My Files":{"command":"x"}}}')
    const own = /--name=([^"]+)/.exec(first)?.[1]
    const path = file(`{"mcpServers":{"My Files":{"command":"x"},"${own}":{"command":"y"}}}`)
    expect(await runHere('wrap', path)).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('rename one of them'),
    })
  })

  it('given by --only are wrapped alone, and must be there', async () => {
    const text = '{"mcpServers":{"a":{"command":"x"},"b":{"command":"y"}}}'
    const after = await wrapped(text, '--only', 'b')
    const before = file(text)
    await runHere('wrap', '--only', 'a', '--only', 'b', before)
    expect(readFileSync(before, 'utf8')).toBe(await wrapped(text))
    expect(parse(after).mcpServers.a).toEqual({ command: 'x' })
    expect(await wrapped(await wrapped(text), '--undo', '--only', 'a')).toBe(after)
    const path = file(text)
    expect(await runHere('wrap', path, '--only', 'c')).toMatchObject({
      code: 2,
      stderr: `holdpoint: ${path}: there is no server "c"\n`,
    })
  })
})

describe('a person', () => {
  const MIXED = JSON.stringify({
    mcpServers: {
      'My Files': { command: 'docker', args: ['run', '-e', 'PASSWORD=hunter2', 'files'] },
      docs: {
        type: 'http',
        url: 'https://me:hunter2@docs.example.com/mcp?key=hunter2',
        headers: { Authorization: 'Bearer hunter2' },
      },
      old: { serverUrl: 'https://old.example.com/sse' },
      built: { source: 'extension' },
    },
  })

  it('sees what was wrapped and under which name, what was not and why, how to undo it, and that the host must restart', async () => {
    const path = file(MIXED)
    const { code, stdout } = await runHere('wrap', path)
    expect(code).toBe(0)
    expect(stdout).toMatch(/1 wrapped, 3 not protected\n/)
    expect(stdout).toMatch(/My Files {2}wrapped +npx -y holdpoint mcp --name my-files-[0-9a-f]{8} -- docker …\n/)
    expect(stdout).toMatch(/docs +NOT PROTECTED +it is reached over HTTP \(https:\/\/docs\.example\.com\/mcp\?…\)\n/)
    expect(stdout).toMatch(/built +NOT PROTECTED +it has neither a command nor a URL/)
    expect(stdout).toContain(`mcp --listen 127.0.0.1:8808 --upstream`)
    expect(stdout).toContain('--upstream old=https://old.example.com/sse')
    expect(stdout).toContain('"url": "http://127.0.0.1:8808/mcp/docs"')
    expect(stdout).toContain('"serverUrl": "http://127.0.0.1:8808/mcp/old"')
    expect(stdout).toMatch(/--upstream-header 'docs=Authorization: Bearer \$\{VARIABLE\}'\n/)
    expect(stdout).toContain('Restart the host')
    expect(stdout).toContain(`npx -y holdpoint wrap ${path} --undo\n`)
    expect(stdout).not.toContain('hunter2')
  })

  it('can ask first what would be done', async () => {
    const path = file(MIXED)
    const { stdout } = await runHere('wrap', path, '--dry-run')
    expect(stdout).toMatch(/1 to be wrapped, 3 not protected\n/)
    expect(stdout).toContain('Nothing was written')
    expect(readFileSync(path, 'utf8')).toBe(MIXED)
  })

  it.each([
    ['.mcp.json', true],
    ['.cursor/mcp.json', true],
    ['.vscode/mcp.json', true],
    ['opencode.jsonc', true],
    ['home/.claude.json', true],
    ['home/work/.cursor/mcp.json', true],
    ['home/.cursor/mcp.json', false],
    ['home/.gemini/settings.json', false],
    ['home/.config/opencode/opencode.json', false],
    ['claude_desktop_config.json', false],
  ])('is told whose holdpoint npx would run in a project, and how to name the right one: %s', async (name, isTold) => {
    const folder = temporaryFolder()
    vi.stubEnv('HOME', join(folder, 'home'))
    const path = join(folder, name)
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, FILES)
    const shown = await runHere('wrap', path)
    vi.unstubAllEnvs()
    expect(shown.stdout.includes('node_modules/holdpoint')).toBe(isTold)
    expect(shown.stdout.includes(`  holdpoint wrap ${path} --command holdpoint\n`)).toBe(isTold)
  })

  it('who has named holdpoint hears nothing of npx, and the way that is shown wraps what it says', async () => {
    const path = file(FILES, '.mcp.json')
    await runHere('wrap', path)
    await runHere('wrap', path, '--undo')
    const { stdout } = await runHere('wrap', path, '--command', 'holdpoint')
    expect(stdout).not.toContain('node_modules')
    expect(parse(readFileSync(path, 'utf8')).mcpServers.files.command).toBe('holdpoint')
  })

  it('is not deceived by a name that a terminal would obey', async () => {
    const { stdout } = await runHere('wrap', file('{"mcpServers":{"a\\u001b[2K\\u202e":{"command":"x"}}}'))
    for (const obeyed of ['\u001b', '\u202e']) expect(stdout).not.toContain(obeyed)
    expect(stdout).toContain('a⟨U+001B⟩[2K⟨U+202E⟩')
  })

  it('can have it as JSON, which holds no arguments either', async () => {
    const path = file(MIXED)
    const { stdout } = await runHere('wrap', path, '--json')
    expect(JSON.parse(stdout)).toMatchObject({
      wrote: true,
      undo: false,
      servers: [
        { name: 'My Files', section: 'mcpServers', state: 'wrapped', server: expect.stringMatching(/^my-files-/) },
        { name: 'docs', state: 'remote', url: 'https://docs.example.com/mcp?…' },
        { name: 'old', state: 'remote' },
        { name: 'built', state: 'unusable' },
      ],
    })
    expect(stdout).not.toContain('hunter2')
  })
})

describe('the file', () => {
  it('keeps its mode, is replaced where a link leads, and nothing is left beside it', async () => {
    const folder = temporaryFolder()
    const [real, link] = [join(folder, 'real.json'), join(folder, 'link.json')]
    writeFileSync(real, FILES)
    chmodSync(real, 0o640)
    symlinkSync(real, link)
    await runHere('wrap', link)
    expect(lstatSync(link).isSymbolicLink()).toBe(true)
    expect(readFileSync(real, 'utf8')).toContain('holdpoint')
    expect(statSync(real).mode & 0o777).toBe(0o640)
    expect(readdirSync(folder).sort()).toEqual(['link.json', 'real.json'])
  })

  it('that is not there is said so, in words', async () => {
    const path = join(temporaryFolder(), 'mcp.json')
    expect(await runHere('wrap', path)).toMatchObject({
      code: 2,
      stderr: `holdpoint: ${path}: there is no such file\n`,
    })
  })

  it('is not touched when there is nothing to change', async () => {
    const path = file(await wrapped(FILES))
    const before = statSync(path, { bigint: true })
    await runHere('wrap', path)
    const after = statSync(path, { bigint: true })
    expect({ ino: after.ino, mtime: after.mtimeNs }).toEqual({ ino: before.ino, mtime: before.mtimeNs })
  })

  it('that the host changed meanwhile is left to the host', () => {
    const path = file(FILES)
    const read = readWhole(path)
    const theirs = FILES.replace('notes', 'letters')
    writeFileSync(path, theirs)
    expect(() => replaceWhole(read, 'ours')).toThrow(/changed while it was being wrapped/)
    expect(readFileSync(path, 'utf8')).toBe(theirs)
    expect(readdirSync(join(path, '..'))).toEqual(['mcp.json'])
  })

  it.each<[string, string | Uint8Array, RegExp]>([
    ['is not JSON', '{"mcpServers": {', /mcp\.json:1:17: not JSON/],
    ['is empty', '', /holds no JSON object/],
    ['is a list', '[]', /holds no JSON object/],
    ['is of no known form', '{"tools": {}}', /in no form that an MCP host writes/],
    ['has no servers', '{"mcpServers": {}}', /holds no MCP servers/],
    ['has its servers in a list', '{"mcpServers": []}', /in no form/],
    ['has one name twice', '{"mcpServers":{"a":{"command":"x"},"a":{"command":"y"}}}', /"a" stands twice/],
    ['has one member twice', '{"mcpServers":{"a":{"command":"x","command":"y"}}}', /"command" stands twice/],
    ['has two lists of servers', '{"mcpServers":{"a":{"command":"x"}},"mcpServers":{}}', /"mcpServers" stands twice/],
    ['is UTF-16', Buffer.from(FILES, 'utf16le'), /not JSON|not UTF-8/],
    ['is Latin-1', Buffer.from('{"mcpServers":{"\xe4":{"command":"x"}}}', 'latin1'), /is not UTF-8/],
  ])('that %s is refused in one line, and not written', async (_, content, message) => {
    const path = file(content)
    const before = readFileSync(path)
    const { code, stdout, stderr } = await runHere('wrap', path)
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
    expect(stderr).toMatch(message)
    expect(stderr).toMatch(/^holdpoint: [^\n]*mcp\.json[^\n]*\n$/)
    expect(readFileSync(path).equals(before)).toBe(true)
  })

  it('must be one: neither missing nor a folder', async () => {
    const folder = join(temporaryFolder(), 'folder')
    mkdirSync(folder)
    for (const path of [folder, join(folder, 'none.json')]) {
      expect(await runHere('wrap', path)).toMatchObject({ code: 2, stderr: expect.stringMatching(/^holdpoint: .*\n$/) })
    }
  })

  it.each([[''], ['[]'], ['["node", 1]'], ['[broken']])(
    'is not written for an unusable --command: %j',
    async (command) => {
      expect(await runHere('wrap', file(FILES), '--command', command)).toMatchObject({
        code: 2,
        stderr: expect.stringMatching(/^holdpoint: --command: .*\n$/),
      })
    },
  )
})
