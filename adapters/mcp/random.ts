/** An id that nobody can guess: 128 bits, as lower-case hexadecimal digits with dashes (RFC 9562, version 4). */
export function randomId(): string {
  return crypto.randomUUID()
}
