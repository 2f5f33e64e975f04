// The registries under test, each a process on a port of 127.0.0.1 with a folder of its own, an upstream and the users alice
// and bob: dx-registry, and Verdaccio.
import { spawn, spawnSync } from 'node:child_process'
import fs from 'node:fs'
import http from 'node:http'
import https from 'node:https'
import net from 'node:net'
import path from 'node:path'

export const PASSWORD = 'correct-horse-battery'

/** The processor time of a process so far, in milliseconds, as Linux counts it: in steps of ten. */
export function cpu (process) {
  const fields = fs.readFileSync(`/proc/${process}/stat`, 'utf8').replace(/.*\)/, '').trim().split(' ')
  return (Number(fields[11]) + Number(fields[12])) * 10
}

/** A port that nobody has at the moment. */
export const freePort = () => new Promise(resolve => {
  const server = net.createServer().listen(0, '127.0.0.1', () => {
    const { port } = server.address()
    server.close(() => resolve(port))
  })
})

class Registry {
  constructor (folder) {
    this.folder = folder
    fs.mkdirSync(folder, { recursive: true })
    this.log = fs.openSync(path.join(folder, 'log'), 'a')
  }

  async ready () {
    for (let tries = 0; tries < 600; tries++) {
      if (await this.answers()) {
        return this
      }
      await new Promise(resolve => setTimeout(resolve, 50))
    }
    throw new Error(`${this.name} does not answer; see ${this.folder}/log`)
  }

  answers () {
    return fetch(`${this.url}-/ping`).then(answer => answer.ok, () => false)
  }

  /** Ends the process, at once. */
  kill () {
    const ended = new Promise(resolve => this.process.once('exit', resolve))
    return this.process.kill('SIGKILL') ? ended : undefined
  }

  /** Logs in by name and password; returns the token. */
  async token (name) {
    const answer = await fetch(`${this.url}-/user/org.couchdb.user:${name}`, {
      method: 'PUT', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ name, password: PASSWORD, email: `${name}@mail.example`, type: 'user' }),
    })
    const { token, error } = await answer.json()
    if (!token) {
      throw new Error(`no token for ${name}: ${error}`)
    }
    return token
  }
}

export class DxRegistry extends Registry {
  constructor (binary, folder) {
    super(folder)
    this.name = 'dx-registry'
    this.binary = binary
    this.env = { PATH: process.env.PATH, HOME: folder, XDG_DATA_HOME: path.join(folder, 'data') }
  }

  answers () {
    return get(`${this.url}-/ping`, this.authority).then(answer => answer.status === 200, () => false)
  }

  /** Its figures by name. */
  async metrics () {
    const text = (await get(`${this.url}-/metrics`, this.authority)).body.toString()
    const lines = text.split('\n').filter(line => line && !line.startsWith('#')).map(line => line.replace('dx_registry_', ''))
    return Object.fromEntries(lines.map(line => [line.slice(0, line.lastIndexOf(' ')), Number(line.slice(line.lastIndexOf(' ') + 1))]))
  }

  /** The processor time of the process so far, in milliseconds. */
  cpu () {
    return cpu(this.process.pid)
  }

  users () {
    for (const name of ['alice', 'bob']) {
      const added = spawnSync(this.binary, ['user', 'add', name, '--password-stdin'], { env: this.env, input: PASSWORD, encoding: 'utf8' })
      if (added.status !== 0) {
        throw new Error(`user add ${name}: ${added.stderr}${added.stdout}`)
      }
    }
  }

  /** Starts it; with a certificate and its key, over TLS. */
  async start (upstream, port, { words: more = [], tls } = {}) {
    this.port = port ?? await freePort()
    this.url = `${tls ? 'https' : 'http'}://127.0.0.1:${this.port}/`
    this.authority = tls && fs.readFileSync(tls.authority)
    const words = ['serve', '--listen', `127.0.0.1:${this.port}`, '--upstream', upstream, ...more]
    if (tls) {
      words.push('--tls-cert', tls.certificate, '--tls-key', tls.key)
    }
    this.process = spawn(this.binary, words, { env: this.env, stdio: ['ignore', this.log, this.log] })
    return this.ready()
  }
}

/** Fetches an address whose certificate is of this authority. */
export const get = (url, ca) => new Promise((resolve, reject) => {
  const { get } = url.startsWith('https:') ? https : http
  const asked = get(url, { ca, agent: false }, answer => {
    const parts = []
    answer.on('data', part => parts.push(part))
    answer.on('end', () => resolve({ status: answer.statusCode, body: Buffer.concat(parts) }))
    answer.on('error', reject)
  })
  asked.on('error', reject)
})

export class Verdaccio extends Registry {
  constructor (package_, node, folder) {
    super(folder)
    this.name = 'Verdaccio'
    this.program = path.join(package_, 'node_modules/verdaccio/bin/verdaccio')
    this.node = node
  }

  users () {}

  async start (upstream) {
    this.port = await freePort()
    this.url = `http://127.0.0.1:${this.port}/`
    const rules = from => `    access: $all\n    publish: $authenticated\n    unpublish: $authenticated\n${from}`
    const file = path.join(this.folder, 'config.yaml')
    fs.writeFileSync(file, `storage: ${this.folder}/storage
auth:
  htpasswd:
    file: ${this.folder}/htpasswd
uplinks:
  up:
    url: ${upstream}
    cache: true
packages:
  '@own/*':
${rules('')}  '**':
${rules('    proxy: up\n')}publish:
  allow_offline: true
web:
  enable: false
log: { type: stdout, format: json, level: warn }
`)
    this.process = spawn(this.node, [this.program, '--config', file, '--listen', `127.0.0.1:${this.port}`], { env: { PATH: process.env.PATH, HOME: this.folder }, stdio: ['ignore', this.log, this.log] })
    return this.ready()
  }
}
