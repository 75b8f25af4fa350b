// What a process holds, as Linux tells it; nothing where there is no /proc.
import { readdirSync, readFileSync, readlinkSync } from 'node:fs'

/** Resident memory (MB), open files, sockets among them, and children of a process. */
export function lookAt(pid) {
  try {
    const pages = Number(readFileSync(`/proc/${pid}/statm`, 'utf8').split(' ')[1])
    const links = readdirSync(`/proc/${pid}/fd`).flatMap((fd) => {
      try {
        return [readlinkSync(`/proc/${pid}/fd/${fd}`)]
      } catch {
        return []
      }
    })
    const sockets = links.filter((link) => link.startsWith('socket:')).length
    return {
      rssMb: Math.round((pages * 4_096) / 1_048_576),
      files: links.length,
      sockets,
      children: childrenOf(pid).length,
    }
  } catch {
    return undefined
  }
}

/** Processes whose command line holds this text, but for this one. */
export function processesWith(text) {
  return numbered().filter((pid) => pid !== process.pid && commandOf(pid).includes(text))
}

function childrenOf(pid) {
  return numbered().filter((one) => Number(statOf(one)[1]) === pid)
}

function numbered() {
  try {
    return readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name))
      .map(Number)
  } catch {
    return []
  }
}

/** State and parent, from behind the name. Zombies are nobody's any more. */
function statOf(pid) {
  try {
    return readFileSync(`/proc/${pid}/stat`, 'utf8')
      .replace(/^.*\) /s, '')
      .split(' ')
  } catch {
    return []
  }
}

function commandOf(pid) {
  try {
    return statOf(pid)[0] === 'Z' ? '' : readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ')
  } catch {
    return ''
  }
}
