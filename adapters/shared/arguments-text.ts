import { parseStrict } from '../../src/bytes/strict-json.ts'

/**
 * Does this text of arguments mean the same to every reader? Hosts read it with `JSON.parse`, which keeps the last of two members of
 * one name. UNTRUSTED: a model wrote it. What is not legible is handed to the gate as it stands, and the gate refuses it.
 */
export function isLegible(text: string): boolean {
  try {
    parseStrict(text)
    return true
  } catch {
    return false
  }
}
