/**
 * Preloaded by a process and its threads (`NODE_OPTIONS=--import`): kills it at one of its writes, `HOLDPOINT_DIES` of
 * `{folder, tally, at, how}`. Each write leaves its name in the file `tally`, so writes are counted over all threads.
 */
import fs from 'node:fs'
import { DatabaseSync, StatementSync } from 'node:sqlite'
import { type Write, watchWrites } from './watched-writes.ts'

interface Death {
  readonly folder: string
  readonly tally: string
  /** At which write, from 1. */
  readonly at: number
  readonly how: 'before' | 'half' | 'after'
}

const { folder, tally, at, how } = JSON.parse(process.env['HOLDPOINT_DIES'] ?? '{}') as Death
const names = fs.openSync(tally, 'a+')

function die(): void {
  process.kill(process.pid, 'SIGKILL')
}

function through({ name, make, makeHalf }: Write): unknown {
  fs.writeSync(names, `${name}\n`)
  const isLast = fs.readFileSync(tally, 'utf8').split('\n').length - 1 === at
  if (isLast && how !== 'after') {
    if (how === 'half') makeHalf()
    die()
  }
  const made = make()
  if (isLast) die()
  return made
}

watchWrites(folder, through)
for (const [of, name] of [
  [DatabaseSync, 'exec'],
  [StatementSync, 'run'],
] as const) {
  const inner = of.prototype[name as never] as (...asked: unknown[]) => unknown
  Object.assign(of.prototype, {
    [name](this: unknown, ...asked: unknown[]) {
      return through({ name, make: () => inner.apply(this, asked), makeHalf: () => undefined })
    },
  })
}
