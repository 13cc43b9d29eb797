import type { Arize } from '../reconcile/target'
import { writeJournal } from './journal'
import { clearTimer, moveTimer, readMeta, writeMeta } from './meta'
import type { Store } from './sql'

/** Whether anybody may call Arize at all: a key that is refused halts the tenant until a preflight passes. */

const PREFLIGHT_AGAIN_MS = 60_000

/** Nobody calls Arize until a preflight passes. Said loudly: health, journal, log. */
export const halt = (store: Store, sentence: string): void => {
  if (readMeta(store, 'halted') === null) {
    writeMeta(store, 'halted', { since: store.now(), sentence })
    writeJournal(store, { kind: 'tenant.halted', data: { sentence } })
    console.error(JSON.stringify({ level: 'error', event: 'tenant.halted', sentence }))
  }
  moveTimer(store, 'preflight', store.now() + PREFLIGHT_AGAIN_MS, null)
}

/** Whether the key works again. */
export const preflight = async (store: Store, arize: Arize): Promise<void> => {
  const passed = await arize.names.preflight()
  if (!passed.ok) {
    moveTimer(store, 'preflight', store.now() + PREFLIGHT_AGAIN_MS, null)
    return
  }
  clearTimer(store, 'preflight')
  writeMeta(store, 'halted', null)
  writeMeta(store, 'preflight', store.now())
  writeJournal(store, { kind: 'tenant.resumed' })
}

/** Something that must not happen did. The log says where, and not the message, which may quote what a request brought. */
export const reportDefect = (where: string, error: unknown): void => {
  const frames = error instanceof Error ? (error.stack ?? '').split('\n').map((line) => line.trim()).filter((line) => line.startsWith('at ')).slice(0, 20) : []
  console.error(JSON.stringify({ level: 'error', event: 'defect', where, error: error instanceof Error ? error.name : typeof error, frames }))
}
