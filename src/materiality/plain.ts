/** Characters that are not seen and can split a word: zero-width, bidirectional and other format characters. */
const UNSEEN = /\p{Cf}/gu

/** A text as a lenient reader takes it: without unseen characters and outer blanks, compatibility letters as plain ones. */
export function plain(text: string): string {
  return text.replace(UNSEEN, '').trim().normalize('NFKC')
}
