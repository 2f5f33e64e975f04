// What the tasks about DXRP share: dx as a client with a home of its own, trees to compare, and requests of DXRP that were
// recorded on their way, to be sent again.
import { spawn } from 'node:child_process'
import crypto from 'node:crypto'
import fs from 'node:fs'
import http from 'node:http'
import path from 'node:path'

export const PATH = '/-/dxrp/1/'
const HEAD = 16
export const KINDS = { hello: 0x01, plan: 0x02, want: 0x03, meta: 0x04, end: 0x1f, error: 0x1e }

/** dx with a home, a store and settings of its own. */
export class Dx {
  constructor (binary, folder, settings) {
    Object.assign(this, { binary, folder, settings })
    fs.mkdirSync(folder, { recursive: true })
  }

  /** Installs a project into an empty store, or into the one that is there; returns what it said. */
  async install (manifest, { words = [], patience = 300_000 } = {}) {
    const project = path.join(this.folder, 'project')
    fs.mkdirSync(project, { recursive: true })
    fs.writeFileSync(path.join(project, 'package.json'), `${JSON.stringify(manifest, null, 2)}\n`)
    const env = { PATH: process.env.PATH, HOME: this.folder, XDG_DATA_HOME: path.join(this.folder, 'data'), XDG_CACHE_HOME: path.join(this.folder, 'cache'), DX_PREPARED_TREES: '0', npm_config_min_release_age: '0', NO_COLOR: '1' }
    for (const [key, value] of Object.entries(this.settings)) {
      env[`npm_config_${key}`] = value
    }
    const child = spawn(this.binary, ['install', '--ignore-scripts', '--verbose', ...words], { cwd: project, env, stdio: ['ignore', 'pipe', 'pipe'] })
    let said = ''
    child.stdout.on('data', part => { said += part })
    child.stderr.on('data', part => { said += part })
    const timer = setTimeout(() => child.kill('SIGKILL'), patience)
    const code = await new Promise(resolve => child.once('close', resolve))
    clearTimeout(timer)
    return { code, said, project }
  }
}

/** The lockfile and the tree of a project as one text: each path with its kind, permissions and digest. */
export function result (project) {
  const lines = [`lock ${digest(path.join(project, 'package-lock.json'))}`]
  const walk = folder => {
    for (const entry of fs.readdirSync(path.join(project, folder), { withFileTypes: true }).sort((one, other) => one.name < other.name ? -1 : 1)) {
      const at = `${folder}/${entry.name}`
      if (at === 'node_modules/.dx') {
        continue
      }
      const full = path.join(project, at)
      if (entry.isDirectory()) {
        walk(at)
      } else if (entry.isSymbolicLink()) {
        lines.push(`${at} -> ${fs.readlinkSync(full)}`)
      } else {
        lines.push(`${at} ${(fs.statSync(full).mode & 0o777).toString(8)} ${digest(full)}`)
      }
    }
  }
  walk('node_modules')
  return lines.join('\n')
}

const digest = file => crypto.createHash('sha256').update(fs.readFileSync(file)).digest('hex')

/** The messages of a stream: their kinds, and the bytes of their frames. */
export function messages (bytes) {
  const all = []
  let begin = 0
  for (let at = 0; at + HEAD <= bytes.length;) {
    const more = bytes[at + 1] & 1
    at += HEAD + bytes.readUInt32LE(at + 4)
    if (!more) {
      all.push({ kind: bytes[begin], frames: bytes.subarray(begin, at) })
      begin = at
    }
  }
  return all
}

/** A relay in front of a registry that cannot switch protocols, so that requests of DXRP are bodies, which it records. */
export class Recorder {
  constructor (target) {
    this.target = new URL(target)
    this.requests = []
    this.agent = new http.Agent({ keepAlive: true })
    this.server = http.createServer((request, response) => this.pass(request, response))
  }

  async start () {
    await new Promise(resolve => this.server.listen(0, '127.0.0.1', resolve))
    this.host = `127.0.0.1:${this.server.address().port}`
    this.url = `http://${this.host}/`
    return this
  }

  pass (request, response) {
    const { upgrade, connection, ...headers } = request.headers
    const { hostname, port } = this.target
    const onward = http.request({ hostname, port, agent: this.agent, method: request.method, path: request.url, headers }, answer => {
      response.writeHead(answer.statusCode, answer.headers)
      answer.pipe(response)
    })
    onward.on('error', () => response.destroy())
    if (request.method === 'POST' && request.url === PATH) {
      const parts = []
      request.on('data', part => parts.push(part))
      request.on('end', () => this.requests.push(Buffer.concat(parts)))
    }
    request.pipe(onward)
  }

  stop () {
    this.agent.destroy()
    this.server.closeAllConnections()
    return new Promise(resolve => this.server.close(resolve))
  }

  /** The first request that asks for a plan, without the packages that it wants besides. */
  plan () {
    const asked = this.requests.map(messages).find(all => all.some(({ kind }) => kind === KINDS.plan))
    if (!asked) {
      throw new Error('dx asked for no plan')
    }
    return Buffer.concat(asked.filter(({ kind }) => [KINDS.hello, KINDS.plan, KINDS.end].includes(kind)).map(({ frames }) => frames))
  }
}

/** Asks over a connection that has switched to DXRP; returns the bytes of each answer. */
export async function upgraded (socket, host, requests) {
  const chunks = []
  let wake = () => {}
  let gone = false
  socket.on('data', chunk => { chunks.push(chunk); wake() })
  socket.on('close', () => { gone = true; wake() })
  socket.on('error', () => {})
  const until = async whole => {
    for (;;) {
      const bytes = Buffer.concat(chunks)
      const end = whole(bytes)
      if (end >= 0) {
        chunks.splice(0, chunks.length, bytes.subarray(end))
        return bytes.subarray(0, end)
      }
      if (gone) {
        throw new Error('the connection was closed')
      }
      await new Promise(resolve => { wake = resolve })
    }
  }
  socket.write(`GET ${PATH} HTTP/1.1\r\nhost: ${host}\r\nconnection: Upgrade\r\nupgrade: dxrp/1\r\n\r\n`)
  const head = (await until(bytes => { const at = bytes.indexOf('\r\n\r\n'); return at < 0 ? -1 : at + 4 })).toString()
  if (!head.startsWith('HTTP/1.1 101 ')) {
    throw new Error(`no upgrade: ${head.split('\r\n')[0]}`)
  }
  const answers = []
  for (const request of requests) {
    const begin = performance.now()
    socket.write(request)
    const bytes = await until(answerEnd)
    answers.push({ bytes, ms: performance.now() - begin })
  }
  socket.destroy()
  return answers
}

/** Where an answer ends in these bytes; -1 where it does not yet. */
function answerEnd (bytes) {
  for (let at = 0; at + HEAD <= bytes.length;) {
    const { 0: kind, 1: more } = bytes.subarray(at)
    at += HEAD + bytes.readUInt32LE(at + 4)
    if ((kind === KINDS.end || kind === KINDS.error) && !(more & 1)) {
      return at <= bytes.length ? at : -1
    }
  }
  return -1
}
