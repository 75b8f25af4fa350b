import { describe, expect, it } from 'vitest'
import { windowsLaunch } from '../../../adapters/mcp-proxy/windows-launch.ts'

const FILES = new Set(['C:\\node\\npx.CMD', 'C:\\node\\node.EXE', 'C:\\tools\\npx.CMD', 'C:\\my server\\run.bat'])
const windows = {
  path: 'C:\\nothing;C:\\node;C:\\tools',
  extensions: '.COM;.EXE;.BAT;.CMD',
  shell: 'C:\\Windows\\system32\\cmd.exe',
  exists: (file: string) => FILES.has(file),
}

describe('a command on Windows', () => {
  it('that is a program is started without a shell, by its whole name', () => {
    expect(windowsLaunch(['node', 'server.js', 'a"b', '%PATH%'], windows)).toEqual({
      program: 'C:\\node\\node.EXE',
      args: ['server.js', 'a"b', '%PATH%'],
      verbatim: false,
    })
  })

  it('that is a batch file gets every word between quotes, so that none of them is a command of its own', () => {
    const { program, args, verbatim } = windowsLaunch(['npx', '-y', 'pkg', 'C:\\notes & calc\\', 'x|y'], windows)
    expect({ program, verbatim }).toEqual({ program: windows.shell, verbatim: true })
    expect(args.slice(0, -1)).toEqual(['/d', '/e:on', '/v:off', '/s', '/c'])
    expect(args.at(-1)).toBe('""C:\\node\\npx.CMD" "-y" "pkg" "C:\\notes & calc\\\\" "x|y""')
  })

  it.each(['a"b & calc', '%COMSPEC%', 'a\nb', 'a\rb'])('does not hand %j to a batch file', (word) => {
    expect(() => windowsLaunch(['npx', word], windows)).toThrow(/cannot be handed safely/)
    expect(() => windowsLaunch(['C:\\my server\\run.bat', word], windows)).toThrow(/cannot be handed safely/)
  })

  it('that is not there stays as it is, and fails to start by that name', () => {
    expect(windowsLaunch(['no-such', 'x'], windows)).toEqual({ program: 'no-such', args: ['x'], verbatim: false })
  })
})
