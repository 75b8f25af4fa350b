export interface RefundInput {
  readonly order: string
  readonly amount: number
  readonly currency: string
  readonly reason: string
  readonly payee: { readonly name: string; readonly iban: string; readonly accountAgeDays: number }
}

export function refundInput(n: number): RefundInput

/** The refund in Cedar's terms: the whole request, and no more than the policies read. */
export function cedarRequest(input: RefundInput): object
export function leanCedarRequest(input: RefundInput): object
