/** A fenced block of a Markdown page. */
export interface Block {
  /** The language after the fence: `ts`, `sh`. */
  readonly language: string
  readonly text: string
  readonly line: number
  /** The path in the block's first comment, `// lib/gate.ts`, where it names one. */
  readonly file: string | undefined
  /** Declarations that the reader is assumed to have: `<!-- given … -->` right above the fence. */
  readonly given: string
  /** Files that the reader is assumed to have: parts of the same comment that begin with `// lib/tools.ts`. */
  readonly files: ReadonlyMap<string, string>
}

const PATH_LINE = /^\/\/ ([\w./-]+\.tsx?)\b.*$/

/** The fenced blocks of a page, in order. */
export function blocksOf(page: string): readonly Block[] {
  const fence = /(?:<!-- given\n([\s\S]*?)-->\n+)?^```(\w*)[^\n]*\n([\s\S]*?)^```$/gm
  return [...page.matchAll(fence)].map((match) => {
    const [whole, comment = '', language = '', text = ''] = match
    const opening = match.index + whole.indexOf('```')
    const line = page.slice(0, opening).split('\n').length
    const [given = '', ...files] = comment.split(/^(?=\/\/ [\w./-]+\.tsx?$)/m)
    const named = files.map((file) => [PATH_LINE.exec(file.split('\n', 1)[0] ?? '')?.[1] ?? '', file] as const)
    return {
      language,
      text,
      line,
      file: PATH_LINE.exec(text.split('\n', 1)[0] ?? '')?.[1],
      given,
      files: new Map(named),
    }
  })
}
