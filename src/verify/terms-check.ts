import { counted } from '../bytes/counted.ts'
import type { DecisionClaims } from '../receipt/claims.ts'
import type { Findings } from '../receipt/findings.ts'
import type { Accepted } from '../receipt/intake.ts'
import type { Anchors } from './anchors.ts'
import { open, pass, ran, type Verdict } from './report.ts'

export type TermsVerdict = 'definitions' | 'policies' | 'overrides'

/** What decisions were made on: definitions and policies that the caller knows, and overrides. */
export class TermsCheck {
  readonly #findings: Findings
  readonly #anchors: Anchors
  #decisions = 0
  #defined = 0
  #overrides = 0

  constructor(findings: Findings, anchors: Anchors) {
    this.#findings = findings
    this.#anchors = anchors
  }

  see({ index, sighted, claims }: Accepted): void {
    if (claims.kind !== 'decision') return
    this.#decisions += 1
    const fail = (check: TermsVerdict, why: string): void =>
      this.#findings.fail({ index, receipt: sighted.id, check, why })
    this.#digests(claims, fail)
    this.#override(claims, fail)
  }

  verdictOf(check: TermsVerdict): Verdict {
    if (this.#decisions === 0) return open('there is no decision to look at')
    switch (check) {
      case 'definitions':
        if (this.#anchors.definitions === undefined)
          return open('no tool definitions are known: give the digests of those that you expect')
        return pass(`${counted(this.#defined, 'decision names', 'decisions name')} tool definitions that you know`)
      case 'policies':
        if (this.#anchors.policies === undefined)
          return open('no policies are known: give the digests of those that you expect')
        return pass(`${counted(this.#decisions, 'decision was', 'decisions were')} made under policies that you know`)
      case 'overrides':
        if (this.#overrides === 0) return pass('no call ran on an override')
        if (this.#anchors.override === undefined)
          return open(`${ran(this.#overrides)} on overrides: give the public keys of the people who may sign them`)
        return pass(`the gate names only keys that you trust with overrides; ${ran(this.#overrides)} on one`)
    }
  }

  #digests({ tool, policy, permit }: DecisionClaims, fail: Fail): void {
    const { definitions, policies } = this.#anchors
    if (policies?.has(policy.digest) === false)
      fail('policies', `it was decided under ${policy.digest}, which you do not know`)
    if (tool.definition !== undefined) {
      this.#defined += 1
      if (definitions?.has(tool.definition) === false) {
        fail('definitions', `its tool has the definition ${tool.definition}, which you do not know`)
      }
    } else if (permit !== undefined && definitions !== undefined) {
      this.#findings.unsure('definitions', `a permit for ${tool.server}/${tool.name} names no definition`)
    }
  }

  #override({ override }: DecisionClaims, fail: Fail): void {
    if (override === undefined) return
    this.#overrides += 1
    const trusted = this.#anchors.override
    if (trusted === undefined) return
    const stranger = override.by.find((kid) => !trusted.has(kid))
    if (stranger !== undefined)
      fail('overrides', `its override ${override.id} is signed by ${stranger}, which you do not trust with it`)
    else if (new Set(override.by).size !== override.by.length)
      fail('overrides', `its override ${override.id} counts one key twice`)
  }
}

type Fail = (check: TermsVerdict, why: string) => void
