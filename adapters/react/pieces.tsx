import type { ReactElement, ReactNode } from 'react'
import type { Materiality, Notice } from '../../src/index.ts'
import { argumentLines } from './arguments.ts'
import { LegibleText } from './legible-text.tsx'
import type { Tone } from './tone.ts'
import { NOTICE, nameOf } from './wording.ts'

/** One line drawing each. */
const SIGNS: { readonly [tone in Tone]: string } = {
  refused: 'M5.6 5.6l12.8 12.8M12 3a9 9 0 100 18 9 9 0 000-18z',
  asking: 'M9.5 9.5a2.6 2.6 0 115 .8c0 1.7-2.5 2-2.5 3.7M12 17.2v.1M12 3a9 9 0 100 18 9 9 0 000-18z',
  running: 'M8 12h.1M12 12h.1M16 12h.1M12 3a9 9 0 100 18 9 9 0 000-18z',
  ran: 'M7.5 12.5l3 3 6-6.5M12 3a9 9 0 100 18 9 9 0 000-18z',
  notice: 'M12 8.5v4.5M12 16.2v.1M12 3.5L2.8 19.5h18.4z',
  unknown: 'M12 8v5M12 16.2v.1M12 3a9 9 0 100 18 9 9 0 000-18z',
}

export function Sign({ tone }: { readonly tone: Tone }): ReactElement {
  return (
    <svg className="hp-sign" viewBox="0 0 24 24" aria-hidden="true">
      <path d={SIGNS[tone]} />
    </svg>
  )
}

interface CardProps {
  readonly tone: Tone
  readonly id: string
  readonly title: string
  /** The tool, as its server or host names it. UNTRUSTED. */
  readonly tool?: string
  readonly materiality?: Materiality | undefined
  readonly children?: ReactNode
}

/** The frame of every card: a group with a heading, whose sign, words and colour say the same. */
export function Card({ tone, id, title, tool, materiality, children }: CardProps): ReactElement {
  return (
    // biome-ignore lint/a11y/useSemanticElements: a fieldset is for a form's controls; this is a part of a conversation
    <div role="group" className="hp hp-card" data-tone={tone} aria-labelledby={id}>
      <div className="hp-head" id={id}>
        <Sign tone={tone} />
        <strong className="hp-title">{title}</strong>
        {tool === undefined ? null : (
          <code className="hp-tool">
            <LegibleText text={tool} />
          </code>
        )}
        {materiality === undefined ? null : (
          <span className="hp-materiality" data-materiality={materiality}>
            <span className="hp-spoken">materiality </span>
            {materiality}
          </span>
        )}
      </div>
      {children}
    </div>
  )
}

/** Arguments, every character of them, one member a line. Nothing is folded away or cut. */
export function Arguments({ text, label }: { readonly text: string; readonly label: string }): ReactElement {
  const lines = argumentLines(text)
  return (
    <div className="hp-arguments">
      <div className="hp-label">{label}</div>
      {lines.length === 0 ? (
        <p className="hp-none">none</p>
      ) : (
        <ul className="hp-lines">
          {lines.map((line) => (
            <li key={line}>
              <code>
                <LegibleText text={line} />
              </code>
            </li>
          ))}
        </ul>
      )}
    </div>
  )
}

/** What was changed of a call that ran. */
export function Notices({ notices }: { readonly notices: readonly Notice[] }): ReactElement | null {
  if (notices.length === 0) return null
  return (
    <ul className="hp-notices">
      {notices.map((notice) => (
        <li key={`${notice.kind} ${notice.message}`}>
          <strong>{Object.hasOwn(NOTICE, notice.kind) ? NOTICE[notice.kind] : 'Notice'}.</strong>{' '}
          <LegibleText text={notice.message} />
          <Changes changes={notice.changes ?? []} />
        </li>
      ))}
    </ul>
  )
}

function Changes({ changes }: { readonly changes: NonNullable<Notice['changes']> }): ReactElement | null {
  if (changes.length === 0) return null
  return (
    <ul className="hp-changes">
      {changes.map(({ path, from, to }) => (
        <li key={path}>
          <code>
            <LegibleText text={nameOf({ path })} />
          </code>
          {from === undefined ? null : (
            <>
              <span className="hp-spoken"> was </span>
              <del>
                <LegibleText text={from} />
              </del>
            </>
          )}
          {to === undefined ? null : (
            <>
              <span className="hp-spoken"> is now </span>
              <ins>
                <LegibleText text={to} />
              </ins>
            </>
          )}
        </li>
      ))}
    </ul>
  )
}
