import type { NameView } from '../reconcile/snapshot'
import type { Missing } from '../reconcile/decide'
import type { ArizeError, Named, Names } from '../reconcile/target'
import { ok, type Result } from '../result'
import { changeRules, readMeta, rulesRevision, writeMeta } from './meta'
import type { Store } from './sql'

/** What names mean in Arize, read once and kept until a call says otherwise or a timer reads them again. */

const kindOf = (missing: Missing): { readonly kind: string; readonly parent: string; readonly key: string } => {
  switch (missing.kind) {
    case 'organizations':
      return { kind: 'organization', parent: '', key: 'organization' }
    case 'customRoles':
      return { kind: 'customRole', parent: '', key: 'customRole' }
    case 'spaces':
      return { kind: 'space', parent: missing.organizationId, key: `space:${missing.organizationId}` }
  }
}

const stored = ({ sql }: Pick<Store, 'sql'>, kind: string, parent: string): ReadonlyMap<string, string> =>
  new Map(sql.rows<{ name: string; id: string }>(`SELECT name, id FROM resources WHERE kind = ? AND parent_id = ? ORDER BY id`, kind, parent).map(({ name, id }) => [name, id]))

/** Keeps one view for as long as nothing was read again. */
export const createNameCache = (store: Pick<Store, 'sql'>): (() => NameView) => {
  let known: { key: string; view: NameView } | null = null
  return () => {
    const read = readMeta(store, 'namesRead') ?? {}
    const key = `${rulesRevision(store)} ${JSON.stringify(read)}`
    if (known?.key !== key) known = { key, view: nameView(store, read) }
    return known.view
  }
}

/** Lists are loaded when they are looked at, and once per view. */
const nameView = (store: Pick<Store, 'sql'>, read: Readonly<Record<string, number>>): NameView => {
  let organizationNames: readonly string[] | null = null
  const cache = new Map<string, ReadonlyMap<string, string> | null>()
  const view = (kind: string, parent: string, key: string): ReadonlyMap<string, string> | null => {
    const known = cache.get(key)
    if (known !== undefined) return known
    const map = (read[key] ?? 0) > 0 ? stored(store, kind, parent) : null
    cache.set(key, map)
    return map
  }
  return {
    get organizations() {
      return view('organization', '', 'organization')
    },
    get organizationNames() {
      organizationNames ??= [...(view('organization', '', 'organization')?.keys() ?? [])]
      return organizationNames
    },
    get customRoles() {
      return view('customRole', '', 'customRole')
    },
    spaces: (organizationId) => view('space', organizationId, `space:${organizationId}`),
  }
}

/** Reads lists of names from Arize. A list that fails changes nothing. */
export const readNames = async (store: Store, names: Names, wanted: readonly Missing[]): Promise<Result<void, ArizeError>> => {
  const done = new Set<string>()
  for (const missing of wanted) {
    const { kind, parent, key } = kindOf(missing)
    if (done.has(key)) continue
    done.add(key)
    const list = await listOf(names, missing)
    const isGone = !list.ok && list.error.kind === 'not_found' && missing.kind === 'spaces'
    if (!list.ok && !isGone) return list
    // An organization that is gone or hidden has no spaces: what it gives is unresolved, and nothing else waits for it.
    keep(store, kind, parent, key, list.ok ? list.value : [])
    if (isGone) forgetList(store, 'organization')
  }
  return ok(undefined)
}

const listOf = (names: Names, missing: Missing): Promise<Result<readonly Named[], ArizeError>> => {
  switch (missing.kind) {
    case 'organizations':
      return names.organizations()
    case 'customRoles':
      return names.customRoles()
    case 'spaces':
      return names.spaces(missing.organizationId)
  }
}

const keep = (store: Store, kind: string, parent: string, key: string, list: readonly Named[]): void => {
  const { sql } = store
  const read = readMeta(store, 'namesRead') ?? {}
  const wasRead = read[key] !== undefined
  const isSame = wasRead && sameNames(stored(store, kind, parent), list)
  writeMeta(store, 'namesRead', { ...read, [key]: store.now() })
  if (isSame) return
  sql.run(`DELETE FROM resources WHERE kind = ? AND parent_id = ?`, kind, parent)
  for (let start = 0; start < list.length; start += 1_000) {
    sql.run(
      `INSERT OR REPLACE INTO resources (kind, parent_id, id, name) SELECT ?, ?, j.value ->> '$.id', j.value ->> '$.name' FROM json_each(?) j`,
      kind, parent, JSON.stringify(list.slice(start, start + 1_000)))
  }
  // Another name, or a name that means something else: everybody's verdict may be another one.
  if (wasRead) changeRules(store)
}

const sameNames = (known: ReadonlyMap<string, string>, list: readonly Named[]): boolean =>
  known.size === list.length && list.every(({ id, name }) => known.get(name) === id)

/** Names are read again before they are next used. The old lists stay, to see what changed. */
export const forgetNames = (store: Store): void => {
  const read = readMeta(store, 'namesRead') ?? {}
  writeMeta(store, 'namesRead', Object.fromEntries(Object.keys(read).map((key) => [key, 0])))
}

/** One list is read again before it is next used. */
const forgetList = (store: Store, key: string): void => {
  const read = readMeta(store, 'namesRead') ?? {}
  if (read[key] !== undefined) writeMeta(store, 'namesRead', { ...read, [key]: 0 })
}

/** A space list of an organization that is gone is never read again. */
export const forgetOrganization = (store: Store, organizationId: string): void => {
  const read = readMeta(store, 'namesRead') ?? {}
  const { [`space:${organizationId}`]: _gone, ...rest } = read
  writeMeta(store, 'namesRead', rest)
  store.sql.run(`DELETE FROM resources WHERE kind = 'space' AND parent_id = ?`, organizationId)
}
