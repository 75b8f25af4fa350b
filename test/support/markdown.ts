/** A fenced block of a Markdown page. */
export interface Block {
  /** The language after the fence: `ts`, `sh`. */
  readonly language: string
  readonly text: string
  readonly line: number
  /** Declarations that the reader is assumed to have: `<!-- given … -->` right above the fence. */
  readonly given: string
}

/** The fenced blocks of a page, in order. */
export function blocksOf(page: string): readonly Block[] {
  const blocks: Block[] = []
  const fence = /(?:<!-- given\n([\s\S]*?)-->\n+)?^```(\w*)[^\n]*\n([\s\S]*?)^```$/gm
  for (const match of page.matchAll(fence)) {
    const [whole, given = '', language = '', text = ''] = match
    const opening = match.index + whole.indexOf('```')
    blocks.push({ language, text, given, line: page.slice(0, opening).split('\n').length })
  }
  return blocks
}
