/** The edits of the text that put holdpoint before a server's command, and the ones that take it back: byte for byte. */
import { type Edit, getNodePath, modify, type Node } from 'jsonc-parser'
import type { ServerForm } from './host-config.ts'
import { endOf, rawOf, textOf } from './json-text.ts'
import type { Launch, WrappedCommand } from './launch.ts'

/** A server that is started by a command. */
export type StartedForm = Extract<ServerForm, { readonly kind: 'command' | 'list' }>

/** Program and arguments, as nodes of the text. */
function nodesOf(form: StartedForm): readonly Node[] {
  return form.kind === 'list' ? (form.list.children ?? []) : [form.command, ...(form.args?.children ?? [])]
}

/** Program and arguments. */
export function partsOf(form: StartedForm): readonly string[] {
  return nodesOf(form).map((node) => textOf(node) ?? '')
}

/** Puts `holdpoint mcp --name NAME --` before the command. What was written moves as it is written, escapes and all. */
export function wrapEdits(text: string, form: StartedForm, [program, ...added]: Launch): readonly Edit[] {
  const [first] = nodesOf(form)
  if (first === undefined) return []
  // The same program is written in the same way.
  const programText = program === textOf(first) ? rawOf(text, first) : JSON.stringify(program)
  const words = added.map((word) => JSON.stringify(word))
  if (form.kind === 'list') return [before(text, form.list, [programText, ...words])]
  const { command, property } = form
  const moved = rawOf(text, command)
  const renamed: Edit = { offset: command.offset, length: command.length, content: programText }
  if (form.args !== undefined) return [renamed, before(text, form.args, [...words, moved])]
  const gap = leadOf(text, property.offset)
  const colon = text.slice(endOf(property.children?.[0] ?? property), command.offset)
  const member = `"args"${/^\s*:\s*$/.test(colon) ? colon : ': '}[${[...words, moved].join(', ')}]`
  return [{ ...renamed, content: `${programText},${gap}${member}` }]
}

/** Takes it back, with whatever flags it has by now. */
export function unwrapEdits(text: string, form: StartedForm, { own, hadArgs }: WrappedCommand): readonly Edit[] {
  const nodes = nodesOf(form)
  const [first, ownCommand, next] = [nodes[form.kind === 'list' ? 0 : 1], nodes[own], nodes[own + 1]]
  if (first === undefined || ownCommand === undefined) return []
  if (form.kind === 'list') return [cut(first.offset, ownCommand.offset)]
  const renamed: Edit = { offset: form.command.offset, length: form.command.length, content: rawOf(text, ownCommand) }
  if (next !== undefined) return [renamed, cut(first.offset, next.offset)]
  if (!hadArgs && form.args !== undefined) return withoutArgs(text, form.command, form.args, renamed)
  const comma = /^\s*,/.exec(text.slice(endOf(ownCommand)))?.[0] ?? ''
  return [renamed, cut(first.offset, endOf(ownCommand) + comma.length)]
}

/** `args` goes whole: where we put it, or where somebody has moved it to. */
function withoutArgs(text: string, command: Node, args: Node, renamed: Edit): readonly Edit[] {
  const between = text.slice(endOf(command), args.parent?.offset ?? 0)
  if (/^\s*,\s*$/.test(between)) return [renamed, cut(endOf(command), endOf(args))]
  return [renamed, ...modify(text, getNodePath(args), undefined, {})]
}

/** Words at the front of a list, set as the list is set. */
function before(text: string, list: Node, words: readonly string[]): Edit {
  const [first, second] = list.children ?? []
  if (first === undefined) return { offset: list.offset + 1, length: 0, content: words.join(', ') }
  const lead = leadOf(text, first.offset)
  const isTight = second !== undefined && text.slice(endOf(first), second.offset) === ','
  const gap = lead.includes('\n') ? lead : isTight ? '' : ' '
  return { offset: first.offset, length: 0, content: words.map((word) => `${word},${gap}`).join('') }
}

/** What separates a member or an element from what stands before it: a line break with its indent, blanks, or nothing. */
function leadOf(text: string, offset: number): string {
  const blank = /[ \t\r\n]*$/.exec(text.slice(0, offset))?.[0] ?? ''
  return /\r?\n[ \t]*$/.exec(blank)?.[0] ?? (blank === '' ? '' : ' ')
}

function cut(from: number, to: number): Edit {
  return { offset: from, length: to - from, content: '' }
}
