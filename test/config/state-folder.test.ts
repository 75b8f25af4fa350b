import { describe, expect, it } from 'vitest'
import { placesOf, stateFolder } from '../../src/config/state-folder.ts'

describe('the state folder', () => {
  it('is the platform’s own, never the working directory', () => {
    expect(stateFolder({}, 'linux', '/home/a')).toBe('/home/a/.local/state/holdpoint')
    expect(stateFolder({ XDG_STATE_HOME: '/x' }, 'linux', '/home/a')).toBe('/x/holdpoint')
    expect(stateFolder({ XDG_STATE_HOME: 'here' }, 'linux', '/home/a')).toBe('/home/a/.local/state/holdpoint')
    expect(stateFolder({}, 'darwin', '/Users/a')).toBe('/Users/a/Library/Application Support/holdpoint')
    expect(stateFolder({ LOCALAPPDATA: 'C:\\L' }, 'win32', 'C:\\U')).toBe('C:\\L\\holdpoint')
  })

  it('is where HOLDPOINT_STATE says, if that is absolute', () => {
    expect(stateFolder({ HOLDPOINT_STATE: '/s' }, 'linux', '/h')).toBe('/s')
    expect(() => stateFolder({ HOLDPOINT_STATE: 's' }, 'linux', '/h')).toThrow(/absolute path/)
  })

  it('is never where the program works, which is where an agent may', () => {
    for (const [platform, home] of [
      ['linux', ''],
      ['linux', 'here'],
      ['darwin', ''],
      ['win32', ''],
    ] as const)
      expect(() => stateFolder({}, platform, home)).toThrow(/HOLDPOINT_STATE/)
    expect(() => stateFolder({ LOCALAPPDATA: 'L' }, 'win32', 'C:\\U')).toThrow(/HOLDPOINT_STATE/)
  })

  it('holds store, key, overrides, pins and coverage unless the configuration says otherwise', () => {
    expect(placesOf({}, '/app', '/s')).toEqual({
      store: { kind: 'folder', folder: '/s/receipts' },
      keyFile: '/s/keys/receipt.pem',
      approvalKeyFile: '/s/keys/approval.pem',
      logKeyFile: '/s/keys/log-key',
      blindingKeyFile: '/s/keys/blinding-key',
      overrides: '/s/overrides',
      pins: '/s/pins',
      coverage: '/s/coverage',
    })
    expect(placesOf({ store: { folder: 'r' }, keyFile: '/k', overrides: 'o' }, '/app', '/s')).toEqual({
      store: { kind: 'folder', folder: '/app/r' },
      keyFile: '/k',
      approvalKeyFile: '/approval.pem',
      logKeyFile: '/log-key',
      blindingKeyFile: '/blinding-key',
      overrides: '/app/o',
      pins: '/s/pins',
      coverage: '/s/coverage',
    })
    expect(placesOf({ key: { env: 'HOLDPOINT_KEY' } }, '/app', '/s').keyEnv).toBe('HOLDPOINT_KEY')
    expect(placesOf({ store: 'memory' }, '/app', '/s').store).toEqual({ kind: 'memory' })
  })
})
