import type { ToolDefinition } from '../types.ts'
import { canonicalText } from './canonical.ts'
import { sha256 } from './digest.ts'

/**
 * Digest of all that a model or a person is shown of the tool, except a description that is computed anew each time. The order
 * of members changes nothing.
 *
 * @throws HoldpointError ERR_ARGUMENTS where a member has no canonical form
 */
export function definitionDigest(definition: ToolDefinition): string {
  const { name, title, inputSchema, outputSchema, annotations } = definition
  const description = definition.dynamicDescription === true ? null : definition.description
  const shown = [name, title, description, inputSchema, outputSchema, annotations]
  return sha256(canonicalText(shown.map((part) => part ?? null)))
}
