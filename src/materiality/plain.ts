/** What is not seen and can split a word: format, control and filler characters, and marks on letters. */
const UNSEEN = /[\p{Cf}\p{M}\u115f\u1160\u2800\u3164\uffa0]|(?![\t\n\r])\p{Cc}/gu
/** A text in which nothing is hidden and no letter passes for another. */
export const ONLY_ASCII_TEXT = /^[\t\n\r -~]*$/

/** Letters of other alphabets that look like Latin ones, each above the one that it passes for. */
const LOOKS = 'аеорсухіјѕһԁԛԝӏѵкмтαοινρυκτɡıАВЕКМНОРСТХЅІЈУΑΒΕΖΗΙΚΜΝΟΡΤΥΧ'
const LATIN = 'aeopcyxijshdqwlvkmtaoivpuktgiABEKMHOPCTXSIJYABEZHIKMNOPTYX'
const PASSES_FOR: ReadonlyMap<string, string> = new Map([...LOOKS].map((letter, at) => [letter, LATIN[at] ?? letter]))

/**
 * A text as a lenient reader takes it: without what is not seen and outer blanks, compatibility letters and lookalikes as
 * plain ones.
 */
export function plain(text: string): string {
  if (ONLY_ASCII_TEXT.test(text)) return text.trim()
  const bare = text.normalize('NFKD').replace(UNSEEN, '').trim()
  return bare.replace(/[\u0131-\u04ff\u0501-\u051d]/g, (letter) => PASSES_FOR.get(letter) ?? letter)
}
