import { describe, expect, it } from 'vitest'
import { lineOf } from '../../../src/cli/watch/line.ts'
import { generateSigner } from '../../../src/receipt/sign.ts'
import { createMemoryStore } from '../../../src/store/memory.ts'
import { DIGEST, decisionDraft, openedChain } from '../../support/receipt-drafts.ts'
import { plainTerminal } from '../in-process.ts'

describe('the line of a call that ran although no policy answered', () => {
  const lineFor = async (changes: Parameters<typeof decisionDraft>[0]) => {
    const chain = await openedChain(createMemoryStore(), { signer: generateSigner() })
    const receipt = await chain.append(decisionDraft({ decision: 'silence', fault: 'timeout', ...changes }))
    return lineOf(receipt, plainTerminal().terminal)
  }

  it('says on which override and ticket, with hostile text made visible', async () => {
    const override = {
      id: 'ov_00000000000000000000000000',
      digest: DIGEST,
      by: [DIGEST],
      reason: 'the policy service is down',
      ticket: 'OPS-1\u202e',
      most: 2,
    }
    expect(await lineFor({ basis: 'override', materiality: 'medium', override })).toContain(
      '✓ shop/refund  medium  no policy answered, let through by override ov_00000000000000000000000000 (OPS-1⟨U+202E⟩)  (alice)',
    )
  })

  it('says that the fail mode let it through', async () => {
    expect(await lineFor({ basis: 'fail_open', materiality: 'low' })).toContain('no policy answered, let through  (')
  })
})
