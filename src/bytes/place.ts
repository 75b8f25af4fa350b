/** `file:line` of `file:line:column`; anything else as it is. */
export function lineOf(place: string): string {
  return place.replace(/(:\d+):\d+$/, '$1')
}
