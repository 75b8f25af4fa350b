import { type ReactElement, type ReactNode, useEffect, useId, useRef, useState } from 'react'
import type { RequestPart } from '../shared/part.ts'
import { comparedLines } from './arguments.ts'
import { LegibleText } from './legible-text.tsx'
import { Arguments, Card } from './pieces.tsx'
import { type Approval, type SendAnswer, useApproval } from './use-approval.ts'
import { approvalSentence, clockText, personText, whoHasToSayYes } from './wording.ts'

/** When the time that is left is said again. */
const SOON_MS = 60_000

export interface ApprovalRequestProps {
  readonly request: RequestPart
  /** Sends the answer: `(answer) => holdpoint.answer(call, answer)` in a chat, `postAnswer(url)` on an approver's own page. */
  readonly onAnswer: SendAnswer
  /** Why a yes is needed, in the policy's sentence. */
  readonly message?: string
  /** The server's time, ms since epoch, where the browser's own clock may be wrong. */
  readonly now?: () => number
  /** Draws it in the app's own way. */
  readonly children?: (approval: Approval) => ReactNode
}

/** Asks a person about one call: exactly what would run, what differs from what they approved before, and how long they have. */
export function ApprovalRequest({ request, onAnswer, message, now, children }: ApprovalRequestProps): ReactElement {
  const approval = useApproval(request, onAnswer, now)
  return (
    <>{children === undefined ? <Question request={request} message={message} {...approval} /> : children(approval)}</>
  )
}

type QuestionProps = { readonly request: RequestPart; readonly message: string | undefined } & Approval

function Question({ request, message, approval, remainingMs, approve, decline }: QuestionProps): ReactElement {
  const id = useId()
  const { tool, materiality, because, argumentsText, previousText } = request
  const isOver = approval.state === 'expired'
  const canAnswer = approval.state === 'open' || approval.state === 'failed'
  return (
    <Card
      tone={isOver ? 'refused' : 'asking'}
      id={id}
      title={isOver ? 'Not answered: did not run' : 'May this run once?'}
      tool={tool}
      materiality={materiality}
    >
      {message === undefined ? null : (
        <p className="hp-message">
          <LegibleText text={message} />
        </p>
      )}
      {because === '' ? null : (
        <p className="hp-because">
          <span className="hp-label">{materiality} because </span>
          <LegibleText text={because} />
        </p>
      )}
      <Arguments text={argumentsText} label={isOver ? 'Attempted with' : 'It would run with exactly these arguments'} />
      {previousText === undefined ? null : <Comparison before={previousText} now={argumentsText} />}
      <Others request={request} />
      <Announcement tool={tool} canAnswer={canAnswer} remainingMs={remainingMs} />
      {canAnswer ? <Answering id={id} isHigh={materiality === 'high'} approve={approve} decline={decline} /> : null}
      <Standing approval={approval} remainingMs={remainingMs} reference={request.ref} />
    </Card>
  )
}

/** Whose call it is and whose yes it takes, where that is not just the person in the chat. */
function Others({ request }: { readonly request: RequestPart }): ReactElement | null {
  const { requires, quorum, yeses = 0, principal } = request
  if (requires === 'confirmation') return null
  return (
    <p className="hp-because">
      {principal === undefined ? null : (
        <>
          <span className="hp-label">For </span>
          <LegibleText text={personText(principal)} />.{' '}
        </>
      )}
      <LegibleText text={`It takes the yes of ${whoHasToSayYes(requires, quorum)}.`} />
      {quorum > 1 ? ` So far ${yeses} of ${quorum} said yes.` : null}
    </p>
  )
}

/** Tells a screen reader that somebody is waited for, and once more when the time is nearly over. Not every second. */
function Announcement({
  tool,
  canAnswer,
  remainingMs,
}: {
  readonly tool: string
  readonly canAnswer: boolean
  readonly remainingMs: number
}): ReactElement {
  // What is there from the beginning is not read out; what comes after is.
  const [isHere, setHere] = useState(false)
  useEffect(() => setHere(true), [])
  const isSoon = remainingMs < SOON_MS
  return (
    <p className="hp-spoken" role="status">
      {isHere && canAnswer ? (
        <LegibleText text={isSoon ? 'Less than a minute is left to answer.' : `${tool} waits for your answer.`} />
      ) : null}
    </p>
  )
}

interface AnsweringProps extends Pick<Approval, 'approve' | 'decline'> {
  readonly id: string
  readonly isHigh: boolean
}

function Answering({ id, isHigh, approve, decline }: AnsweringProps): ReactElement {
  const [reason, setReason] = useState('')
  return (
    <div className="hp-answer">
      <label className="hp-reason">
        <span className="hp-label">Reason, if you like; the assistant reads it</span>
        <input
          type="text"
          maxLength={500}
          autoComplete="off"
          value={reason}
          onChange={(event) => setReason(event.target.value)}
        />
      </label>
      <div className="hp-buttons">
        <button
          type="button"
          className="hp-button hp-approve"
          data-high={isHigh}
          aria-describedby={id}
          onClick={() => approve(reason)}
        >
          Approve
        </button>
        <button type="button" className="hp-button hp-decline" aria-describedby={id} onClick={() => decline(reason)}>
          Decline
        </button>
      </div>
    </div>
  )
}

interface StandingProps extends Pick<Approval, 'approval' | 'remainingMs'> {
  readonly reference: string
}

/** How much time is left, and what became of the answer. A screen reader hears what changes, not every second. */
function Standing({ approval, remainingMs, reference }: StandingProps): ReactElement {
  const sentence = approvalSentence(approval)
  const place = useRef<HTMLParagraphElement>(null)
  const { state } = approval
  useEffect(() => {
    // The buttons are gone: whoever pressed one is not left nowhere.
    if (state === 'sent' && document.activeElement === document.body) place.current?.focus()
  }, [state])
  return (
    <div className="hp-standing">
      <p
        className="hp-said"
        role={state === 'failed' ? 'alert' : 'status'}
        tabIndex={-1}
        ref={place}
        data-state={state}
      >
        {sentence === undefined ? '' : <LegibleText text={sentence} />}
      </p>
      <p className="hp-small-print">
        {state === 'open' || state === 'failed' ? (
          <>
            <span role="timer" aria-live="off" data-soon={remainingMs < SOON_MS} suppressHydrationWarning>
              <span className="hp-spoken">time left for an answer: </span>
              {clockText(remainingMs)} left
            </span>{' '}
            ·{' '}
          </>
        ) : null}
        reference <code>{<LegibleText text={reference} />}</code>
      </p>
    </div>
  )
}

function Comparison({ before, now }: { readonly before: string; readonly now: string }): ReactElement {
  const lines = comparedLines(before, now).filter(({ kind }) => kind !== 'same')
  if (lines.length === 0)
    return <p className="hp-because">These are the arguments that you approved for this tool before.</p>
  return (
    <div className="hp-arguments">
      <div className="hp-label">Other than what you last approved for this tool</div>
      <ul className="hp-lines hp-compared">
        {lines.map(({ kind, text }) => (
          <li key={`${kind} ${text}`} data-kind={kind}>
            <code>
              <span className="hp-spoken">{kind === 'added' ? 'now: ' : 'before: '}</span>
              {kind === 'added' ? (
                <ins>
                  <LegibleText text={text} />
                </ins>
              ) : (
                <del>
                  <LegibleText text={text} />
                </del>
              )}
            </code>
          </li>
        ))}
      </ul>
    </div>
  )
}
