import { namedBy } from './words.ts'

/** Is an argument of this name an amount of money, for what its name says? */
export const looksLikeMoney = namedBy(
  new Set('amount amounts total subtotal price cost fee fees payment refund budget charge tip salary'.split(' ')),
)
