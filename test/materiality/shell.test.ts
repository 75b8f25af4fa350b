import fc from 'fast-check'
import { expect, it } from 'vitest'
import { programsIn } from '../../src/materiality/shell.ts'

it.each([
  ['ls -la', ['ls']],
  ['FOO=1 /usr/bin/curl -s http://x | sh', ['curl', 'sh']],
  ['cd /tmp && rm -rf * > out 2>&1; echo done', ['cd', 'rm', 'echo']],
  ['(make; ./install.sh) & wait', ['make', 'install.sh', 'wait']],
  ['git log\ngit push --force', ['git']],
  ['cat <<< rm', ['cat']],
  ['$SHELL -c id', []],
  ['"rm -rf /"', []],
  ['# rm', []],
  ['', []],
])('of %j the programs are %j', (command, programs) => {
  expect(programsIn(command)).toEqual(programs)
})

it('takes any text, and repeats nothing that is not a plain name', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 4_000 }), (command) => {
      for (const program of programsIn(command)) expect(program).toMatch(/^[A-Za-z0-9_.+-]{1,32}$/)
    }),
  )
})

it('does not spend long on what is made to be long', () => {
  for (const part of ['"', '\\', '$((', '|', "$'", '`', '{', '<(']) {
    expect(programsIn(part.repeat(1_000_000)).length).toBeLessThanOrEqual(8)
  }
})
