// The flags of a script.
import { parseArgs } from 'node:util'

/**
 * Reads them. Where there is nothing to do there are no `flags`, but an exit code: 0 when the help was told, 2 when they cannot
 * be used.
 */
export function readFlags(name, help, options, terminal) {
  try {
    const { values } = parseArgs({ options: { ...options, help: { type: 'boolean', short: 'h' } } })
    if (values.help !== true) return { flags: values }
    terminal.out(help)
    return { code: 0 }
  } catch (error) {
    terminal.note(`${name}: ${error.message.split('.')[0]}; see --help`)
    return { code: 2 }
  }
}
