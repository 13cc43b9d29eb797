// A closed-loop HTTP/1.1 client over raw keep-alive sockets: each connection sends its next request when the answer to the
// last one is complete. It does next to nothing per request, so that the figures are the server's.
import { connect } from 'node:net'

/** An answer that takes longer is counted as none. */
const LONGEST_ANSWER_MS = 120_000

const HEAD_END = Buffer.from('\r\n\r\n')

/** A request as the bytes that go over the wire. `body` is sent as JSON. */
export const requestBytes = ({ method, path, token, body }) => {
  const text = body === undefined ? '' : JSON.stringify(body)
  const head = [
    `${method} ${path} HTTP/1.1`,
    'Host: 127.0.0.1',
    ...(token === undefined ? [] : [`Authorization: Bearer ${token}`]),
    ...(body === undefined ? [] : ['Content-Type: application/scim+json', `Content-Length: ${Buffer.byteLength(text)}`]),
  ]
  return Buffer.from(`${head.join('\r\n')}\r\n\r\n${text}`)
}

/** The body of a chunked answer, or null while it is not complete. */
const joinChunked = (bytes) => {
  const parts = []
  for (let at = 0; ; ) {
    const lineEnd = bytes.indexOf('\r\n', at)
    if (lineEnd === -1) return null
    const size = Number.parseInt(bytes.toString('latin1', at, lineEnd), 16)
    const end = lineEnd + 2 + size
    if (bytes.length < end + 2) return null
    if (size === 0) return Buffer.concat(parts)
    parts.push(bytes.subarray(lineEnd + 2, end))
    at = end + 2
  }
}

const readHead = (bytes, headEnd) => {
  const head = bytes.toString('latin1', 0, headEnd)
  const status = Number(head.slice(9, 12))
  const length = /\r\ncontent-length: (\d+)/i.exec(head)?.[1]
  return {
    status,
    start: headEnd + HEAD_END.length,
    isChunked: /\r\ntransfer-encoding: chunked/i.test(head),
    length: status === 204 || status === 304 ? 0 : Number(length ?? 0),
  }
}

/** What an answer that never came counts as. */
const LOST = { status: 0, body: Buffer.alloc(0) }

/** One connection, for one request at a time. */
class Connection {
  #port
  #socket = null
  #chunks = []
  #size = 0
  #head = null
  #answer = null

  constructor(port) {
    this.#port = port
  }

  /** Servers end connections that were idle for some seconds: called before each burst of requests. */
  async open() {
    if (this.#socket !== null && !this.#socket.destroyed && this.#socket.readyState === 'open') return
    this.#socket?.destroy()
    const socket = connect({ port: this.#port, host: '127.0.0.1', noDelay: true })
    this.#socket = socket
    await new Promise((resolve, reject) => socket.once('connect', resolve).once('error', reject))
    socket.on('data', (chunk) => this.#take(chunk))
    socket.on('error', () => undefined)
    socket.on('end', () => socket.destroy())
    socket.setTimeout(LONGEST_ANSWER_MS, () => socket.destroy())
    socket.on('close', () => {
      if (this.#socket === socket) this.#end(LOST)
    })
  }

  /** Resolves when the whole answer is there; `status` is 0 when the connection ended before, or took too long. */
  ask(bytes) {
    return new Promise((resolve) => {
      this.#answer = resolve
      if (this.#socket.destroyed) this.#end(LOST)
      else this.#socket.write(bytes)
    })
  }

  close() {
    this.#socket?.destroy()
  }

  #end(answer) {
    const resolve = this.#answer
    this.#answer = null
    this.#chunks = []
    this.#size = 0
    this.#head = null
    resolve?.(answer)
  }

  #take(chunk) {
    this.#chunks.push(chunk)
    this.#size += chunk.length
    if (this.#head === null) {
      const bytes = this.#joined()
      const headEnd = bytes.indexOf(HEAD_END)
      if (headEnd === -1) return
      this.#head = readHead(bytes, headEnd)
    }
    const { status, start, length, isChunked } = this.#head
    if (isChunked) {
      const body = joinChunked(this.#joined().subarray(start))
      if (body !== null) this.#end({ status, body })
    } else if (this.#size >= start + length) {
      this.#end({ status, body: this.#joined().subarray(start) })
    }
  }

  #joined() {
    if (this.#chunks.length > 1) this.#chunks = [Buffer.concat(this.#chunks)]
    return this.#chunks[0]
  }
}

/** So many connections to a server, opened when they are used. */
export const connectTo = (url, count) => Array.from({ length: count }, () => new Connection(Number(new URL(url).port)))

/**
 * Sends every request once, each connection one after the other.
 * @returns {Promise<{ wallMs: number, latenciesMs: number[], answers: { status: number, body: Buffer }[] }>} in the order of the requests
 */
export const sendAll = async (connections, requests) => {
  const answers = Array.from({ length: requests.length })
  const latenciesMs = Array.from({ length: requests.length }, () => 0)
  let next = 0
  const work = async (connection) => {
    while (next < requests.length) {
      const index = next
      next += 1
      const startedAt = performance.now()
      answers[index] = await connection.ask(requests[index])
      latenciesMs[index] = performance.now() - startedAt
    }
  }
  await Promise.all(connections.map((connection) => connection.open()))
  const startedAt = performance.now()
  await Promise.all(connections.map(work))
  return { wallMs: performance.now() - startedAt, latenciesMs, answers }
}

/** A client for what is not measured: requests of any number, one answer or all of them, parsed. */
export const openClient = (url, token, concurrency = 16) => {
  const connections = connectTo(url, concurrency)
  const askAll = async (requests) => {
    const { answers } = await sendAll(connections, requests.map((request) => requestBytes({ token, ...request })))
    return answers.map(({ status, body }) => ({ status, json: body.length === 0 ? null : JSON.parse(body.toString()) }))
  }
  return {
    askAll,
    ask: async (method, path, body) => (await askAll([{ method, path, body }]))[0],
    close: () => connections.forEach((connection) => connection.close()),
  }
}
