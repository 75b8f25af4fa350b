/** Key presses of the person at this terminal, one at a time. */

/** Reads single keys in raw mode. Keys that nobody asked for are dropped: a yes typed ahead answers nothing. */
export interface Keys {
  /** Calls `press` with each key from now on; the returned function stops it. */
  listen(press: (key: string) => void): () => void
  close(): void
}

const CTRL_C = '\u0003'
const CTRL_D = '\u0004'

/** Takes over stdin. `leave` is called on Ctrl-C, Ctrl-D and when the terminal goes away. */
export function readKeys(stdin: NodeJS.ReadStream, leave: () => void): Keys {
  let listener: ((key: string) => void) | undefined
  const receive = (data: Buffer): void => {
    const text = data.toString('utf8')
    if (text.includes(CTRL_C) || text.includes(CTRL_D)) leave()
    // A paste or an escape sequence arrives as one piece; only a piece of one character is a key press.
    else if (text.length === 1) listener?.(text)
  }
  stdin.setRawMode(true)
  stdin.on('data', receive)
  stdin.on('end', leave)
  stdin.resume()
  return {
    listen(press) {
      listener = press
      return () => {
        if (listener === press) listener = undefined
      }
    },
    close() {
      stdin.off('data', receive)
      stdin.off('end', leave)
      stdin.setRawMode(false)
      stdin.pause()
    },
  }
}
