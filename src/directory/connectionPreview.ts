import type { Policy } from '../policy/document'
import { describeChange, removals } from '../reconcile/plan'
import type { Missing } from '../reconcile/decide'
import { err, ok, type Result } from '../result'
import { mappingsNaming, takeUsersOf } from './connectionRemoval'
import { connectionById, refuse, type Refusal } from './connections'
import { foreseeMovers } from './holds'
import type { Reconciler } from './reconciler'
import type { Unready } from './site'
import type { Store } from './sql'

/**
 * What the deletion of a connection would take from people: the deletion itself, of a slice of people at a time, in transactions
 * that are undone, and the reconciler's own decision about each of them in between.
 */

export interface RemovalPreview {
  readonly users: number
  readonly groups: number
  /** How many people would lose a role or get a lower one. That one of them is then kept as the last ADMIN of an organization is not foreseen. */
  readonly people: number
  /** Whether `people` was worked out from the first 1,000 of them. */
  readonly isEstimate: boolean
  /** The first 100 of them, with what they would lose. */
  readonly losses: readonly { readonly email: string; readonly loses: readonly string[] }[]
  /** What the brake would say of it. */
  readonly brake: { readonly holds: boolean; readonly sentence: string | null }
  /** Ids of the mappings that name the connection: it cannot be deleted before they are changed. */
  readonly mappings: readonly string[]
}

export interface PreviewOptions {
  readonly store: Store
  readonly reconciler: Pick<Reconciler, 'foresee' | 'readNames'>
  /** Runs in a transaction and undoes it. */
  readonly dryRun: <T>(work: () => T) => T
  readonly brake: () => Policy['brake']
  readonly yieldTurn: () => Promise<void>
}

const MOST_EVALUATED = 1_000
const MOST_LISTED = 100
const SLICE = 50
/** Lists of names lead to further lists: organizations, then the spaces of each. */
const MOST_READINGS = 4

type Loss = RemovalPreview['losses'][number]

/** Whoever holds something and is told of by the connection, in a fixed order. */
const CONCERNED = `FROM users u WHERE u.connection_id = ? AND u.email IS NOT NULL AND EXISTS (SELECT 1 FROM ledger l WHERE l.address = u.email)`

const lossesOf = ({ store, reconciler, dryRun }: PreviewOptions, id: string, addresses: readonly string[]): { readonly losses: Loss[]; readonly missing: Missing[] } =>
  dryRun(() => {
    takeUsersOf(store, id, addresses, 'preview')
    const decided = addresses.map((email) => ({ email, decision: reconciler.foresee(email) }))
    return {
      missing: decided.flatMap(({ decision }) => decision.missing),
      losses: decided
        .map(({ email, decision }) => ({ email, loses: removals(decision.plan).map(describeChange) }))
        .filter(({ loses }) => loses.length > 0),
    }
  })

const UNREADABLE: Unready = { variable: 'Arize', sentence: 'The names of Arize\'s organizations and roles cannot be read now, and without them nobody can tell who would lose what. Try again later.' }

/** The losses of one slice of people, once all names that they need are read. */
const settledLosses = async (options: PreviewOptions, id: string, addresses: readonly string[]): Promise<Result<Loss[], Unready>> => {
  for (let readings = 0; ; readings += 1) {
    const { losses, missing } = lossesOf(options, id, addresses)
    if (missing.length === 0) return ok(losses)
    if (readings === MOST_READINGS || !(await options.reconciler.readNames(missing)).ok) return err(UNREADABLE)
  }
}

const countOf = ({ sql }: Store, query: string, id: string): number => sql.one<{ n: number }>(query, id)?.n ?? 0

/** Foresees a deletion. Writes nothing that stays. */
export const previewRemoval = async (options: PreviewOptions, id: string): Promise<Result<RemovalPreview, Refusal | { readonly kind: 'unready'; readonly unready: Unready }>> => {
  const { store, yieldTurn, brake } = options
  const connection = connectionById(store, id)
  if (connection === null) return err(refuse(404, 'No such connection.'))
  const concerned = countOf(store, `SELECT count(DISTINCT u.email) AS n ${CONCERNED}`, id)
  const addresses = store.sql
    .rows<{ email: string }>(`SELECT u.email AS email ${CONCERNED} GROUP BY u.email ORDER BY min(u.seq) LIMIT ${MOST_EVALUATED}`, id)
    .map(({ email }) => email)
  const losses: Loss[] = []
  for (let start = 0; start < addresses.length; start += SLICE) {
    const found = await settledLosses(options, id, addresses.slice(start, start + SLICE))
    if (!found.ok) return err({ kind: 'unready', unready: found.error })
    losses.push(...found.value)
    await yieldTurn()
  }
  const isEstimate = concerned > addresses.length
  const people = isEstimate ? Math.round((losses.length / addresses.length) * concerned) : losses.length
  const { isCleared, sentence } = foreseeMovers(store, people, brake())
  return ok({
    users: countOf(store, `SELECT count(*) AS n FROM users WHERE connection_id = ?`, id),
    groups: countOf(store, `SELECT count(*) AS n FROM groups WHERE connection_id = ?`, id),
    people, isEstimate, losses: losses.slice(0, MOST_LISTED),
    brake: { holds: !isCleared, sentence: isCleared ? null : sentence },
    mappings: mappingsNaming(store, connection),
  })
}
