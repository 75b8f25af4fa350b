/** What every command is given, and where it finds its configuration. */
import { homedir } from 'node:os'
import { type LoadedConfig, readConfig } from '../config/read.ts'
import { type Places, placesOf, stateFolder } from '../config/state-folder.ts'
import type { PolicyText } from '../policy/load.ts'
import { withShortForm } from '../policy/short-form.ts'
import type { ExitCode } from './exit.ts'
import type { Terminal } from './terminal.ts'

/** A command's surroundings. */
export interface CommandContext {
  readonly terminal: Terminal
  /** Sets the exit code; without it a command ends with 0. */
  end(code: ExitCode): void
}

/** A configuration and the places that it names. */
export interface Situation {
  readonly config: LoadedConfig
  readonly places: Places
  /** Every policy in force: the files', and those of the short form. */
  readonly policies: readonly PolicyText[]
}

/**
 * The configuration of the working directory, or of the file that was named; `false` is a configuration that nobody wrote.
 *
 * @throws HoldpointError ERR_CONFIG
 */
export function situationOf(file: string | false | undefined): Situation {
  const config = readConfig(file === undefined ? process.cwd() : file && { file })
  return {
    config,
    places: placesOf(config.options, config.folder, ownStateFolder(), config.storeAt),
    policies: withShortForm(config.policyFiles, config.shortRules),
  }
}

/** This account's state folder. */
export function ownStateFolder(): string {
  return stateFolder(process.env, process.platform, homedir())
}

/** A path as a person writes it: with `~` for the home folder. */
export function homely(path: string): string {
  const home = homedir()
  return path.startsWith(`${home}/`) ? `~${path.slice(home.length)}` : path
}
