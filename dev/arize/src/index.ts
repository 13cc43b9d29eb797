/**
 * The emulator's door: finds the account that a key belongs to and hands the request over. A key of nobody goes to the
 * default account, which refuses it and writes that down.
 */
import type { Env } from './account'
import { LOST_HEADER } from './app'
import { accountOfKey, bearerOf, DEFAULT_ACCOUNT, isAccount } from './auth'

export { Account } from './account'

const isControl = (url: URL): boolean => url.pathname.startsWith('/_emulator')

/** undefined: the control surface was asked for an account that cannot be. */
const chooseAccount = (request: Request): string | undefined => {
  const key = bearerOf(request.headers.get('authorization'))
  const url = new URL(request.url)
  if (!isControl(url)) return (key === undefined ? undefined : accountOfKey(key)) ?? DEFAULT_ACCOUNT
  if (key !== undefined) return accountOfKey(key)
  const named = url.searchParams.get('account') ?? DEFAULT_ACCOUNT
  return isAccount(named) ? named : undefined
}

/**
 * A connection that drops before an answer: the caller's fetch rejects. Behind a socket (there is a Host header) a body that
 * fails at once makes workerd close the connection without a byte; through a service binding only a throw does the same.
 */
const dropConnection = (request: Request): Response => {
  if (!request.headers.has('host')) throw new Error('Network connection lost.')
  const { readable, writable } = new FixedLengthStream(1)
  void writable.abort(new Error('Network connection lost.')).catch(() => undefined)
  return new Response(readable)
}

export default {
  async fetch(request: Request, env: Env): Promise<Response> {
    const account = chooseAccount(request)
    if (account === undefined) return Response.json({ status: 401, title: 'No such account' }, { status: 401 })
    const response = await env.ACCOUNT.getByName(account).fetch(request)
    return response.headers.has(LOST_HEADER) ? dropConnection(request) : response
  },
} satisfies ExportedHandler<Env>
