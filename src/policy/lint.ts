import type { PolicyMisfit, ToolDefinition } from '../types.ts'
import type { LoadedPolicy } from './load.ts'

export function createLinter(_policies: readonly LoadedPolicy[]) {
  return (_server: string, _tools: readonly ToolDefinition[]): readonly PolicyMisfit[] => []
}
