/** JSON Pointer (RFC 6901) of a path of member names and indices; the empty path is `''`, the whole value. */
export function jsonPointer(path: readonly (string | number)[]): string {
  let pointer = ''
  for (const step of path) pointer += `/${pointerToken(step)}`
  return pointer
}

/** One step of a JSON Pointer, escaped. */
export function pointerToken(step: string | number): string {
  if (typeof step === 'number') return `${step}`
  return step.includes('~') || step.includes('/') ? step.replaceAll('~', '~0').replaceAll('/', '~1') : step
}

/** The path of member names that a JSON Pointer stands for. */
export function pathOf(pointer: string): readonly string[] {
  const [, ...tokens] = pointer.split('/')
  return tokens.map((token) => token.replaceAll('~1', '/').replaceAll('~0', '~'))
}
