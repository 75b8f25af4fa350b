/** How many of something, in words: `1 receipt`, `2 leaves`. */
export function counted(count: number, one: string, more = `${one}s`): string {
  return `${count} ${count === 1 ? one : more}`
}
