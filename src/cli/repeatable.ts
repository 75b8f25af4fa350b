/** For an option that may be given again: one value each time, so that it swallows no argument of the command itself. */
export function repeatable(value: string, before: readonly string[] | undefined): readonly string[] {
  return [...(before ?? []), value]
}
