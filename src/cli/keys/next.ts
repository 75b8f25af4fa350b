/** Where a new receipt key waits until the old one has said so: a rotation that was cut off goes on with it. */
export function nextOf(keyFile: string): string {
  return `${keyFile}.next`
}
