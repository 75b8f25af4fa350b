/** The texts whose SHA-256 are a receipt's salted commitments. Browser-safe: who was given salt and text works them out again. */

/** The RFC 8785 text of `["hp-args/1", salt, server, tool, arguments]`. `argumentsText` is canonical already. */
export function argumentsPreimage(salt: string, server: string, tool: string, argumentsText: string): string {
  return `["hp-args/1",${JSON.stringify(salt)},${JSON.stringify(server)},${JSON.stringify(tool)},${argumentsText}]`
}

/** The RFC 8785 text of `["hp-request/1", salt, request]`. `requestText` is canonical already. */
export function requestPreimage(salt: string, requestText: string): string {
  return `["hp-request/1",${JSON.stringify(salt)},${requestText}]`
}

/** The RFC 8785 text of `["hp-result/1", salt, result]`, the result being its text as a JSON string. */
export function resultPreimage(salt: string, text: string): string {
  return `["hp-result/1",${JSON.stringify(salt)},${JSON.stringify(text)}]`
}
