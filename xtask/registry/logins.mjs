// Logins and one-time passwords of clients, answered in a browser: each client runs in a terminal, and the program that it starts
// as its browser leaves the address for the page that chromedriver drives.
import { spawn } from 'node:child_process'
import crypto from 'node:crypto'
import fs from 'node:fs'
import path from 'node:path'
import { PASSWORD } from './servers.mjs'

const LIMIT = 60_000

/** The code of an authenticator app for a secret in Base32, at this moment. */
export function code (secret) {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'
  const bits = [...secret].map(letter => alphabet.indexOf(letter).toString(2).padStart(5, '0')).join('')
  const key = Buffer.from(bits.match(/.{8}/g).map(byte => parseInt(byte, 2)))
  const time = Buffer.alloc(8)
  time.writeBigUInt64BE(BigInt(Math.floor(Date.now() / 30_000)))
  const digest = crypto.createHmac('sha1', key).update(time).digest()
  return String((digest.readUInt32BE(digest[19] & 15) & 0x7fffffff) % 1e6).padStart(6, '0')
}

/** A client with a home of its own, whose browser is a program that keeps the address. */
class Terminal {
  constructor (name, program, place, url) {
    Object.assign(this, { name, program, url })
    this.home = path.join(place, `home-${name}`)
    fs.mkdirSync(this.home, { recursive: true })
    fs.writeFileSync(path.join(this.home, '.npmrc'), `registry=${url}\n`)
    this.asked = path.join(this.home, 'asked')
    const browser = path.join(this.home, 'browser')
    fs.writeFileSync(browser, `#!/bin/sh\nprintf %s "$1" > '${this.asked}.new' && mv '${this.asked}.new' '${this.asked}'\n`, { mode: 0o755 })
    this.env = {
      PATH: `${path.dirname(program[0])}:${process.env.PATH}`, HOME: this.home, XDG_DATA_HOME: `${this.home}/data`, TERM: 'dumb', NO_COLOR: '1',
      BROWSER: browser, npm_config_browser: browser, npm_config_cache: `${this.home}/cache`, npm_config_update_notifier: 'false',
    }
  }

  /** Runs a command in a terminal, or without one; `page` is called with the address that the client opens. */
  run (words, cwd, page) {
    const [program, ...first] = this.program
    const all = [program, ...first, ...words]
    fs.rmSync(this.asked, { force: true })
    const child = page
      ? spawn('script', ['-qefc', all.map(word => `'${word}'`).join(' '), '/dev/null'], { cwd, env: this.env, stdio: 'pipe' })
      : spawn(all[0], all.slice(1), { cwd, env: this.env, stdio: ['ignore', 'pipe', 'pipe'] })
    let text = '', pressed = false
    const heard = part => {
      text += part
      // npm opens the page once the user has pressed Enter, dx at once.
      if (page && !pressed && /press ENTER/i.test(text)) {
        pressed = true
        child.stdin.write('\n')
      }
    }
    child.stdout.setEncoding('utf8').on('data', heard)
    child.stderr.setEncoding('utf8').on('data', heard)
    return new Promise(resolve => {
      const late = setTimeout(() => child.kill('SIGKILL'), LIMIT)
      let answered
      const looking = page && setInterval(() => {
        if (!answered && fs.existsSync(this.asked)) {
          answered = page(fs.readFileSync(this.asked, 'utf8')).catch(error => { text += `\npage: ${error.message}` })
        }
      }, 50)
      child.on('exit', async status => {
        clearTimeout(late)
        clearInterval(looking)
        await answered
        resolve({ status: status ?? -1, text, opened: Boolean(answered) })
      })
    })
  }

  token () {
    return /_authToken=(\S+)/.exec(fs.readFileSync(path.join(this.home, '.npmrc'), 'utf8'))?.[1]
  }
}

/** Has each client log in and publish, while `tab` shows and answers the pages. */
export async function logins ({ server, tab, programs, place, check }) {
  const short = text => JSON.stringify(text.replace(/\x1b\[[\d;?]*[a-zA-Z]/g, '').trim().slice(-300))
  const notice = () => tab.run('return document.querySelector(".notice")?.textContent ?? ""')
  const warning = () => tab.run('return document.querySelector(".warning")?.textContent ?? ""')
  const clients = Object.entries(programs).map(([name, program]) => new Terminal(name, program, place, server.url))
  const logIn = extra => async address => {
    await tab.open(address)
    await tab.type('input[name=name]', 'alice')
    await tab.type('input[name=password]', PASSWORD)
    extra && await tab.type('input[name=code]', extra())
    await tab.click('main button')
    check((await notice()).startsWith('Done.'), 'the page of a login says that it is done')
  }
  const log = async (client, page, what) => {
    const done = await client.run(['login', '--auth-type=web'], client.home, page)
    check(done.status === 0 && done.opened, `${client.name}: ${what}: ${done.status}, browser ${done.opened} ${done.status ? short(done.text) : ''}`)
    const who = await client.run(['whoami'], client.home)
    check(who.status === 0 && /^alice$/m.test(who.text), `${client.name}: whoami after ${what}: ${who.status} ${short(who.text)}`)
  }
  for (const client of clients) {
    await log(client, logIn(), 'login in the browser')
  }

  // From here on every change asks for a code.
  const profile = async body => (await fetch(`${server.url}-/npm/v1/user`, {
    method: 'POST', headers: { 'content-type': 'application/json', authorization: `Bearer ${clients[0].token()}` }, body: JSON.stringify(body),
  })).json()
  const { tfa } = await profile({ tfa: { password: PASSWORD, mode: 'auth-and-writes' } })
  const secret = /secret=([A-Z2-7]+)/.exec(tfa)[1]
  const recovery = (await profile({ tfa: [code(secret)] })).tfa
  check(recovery.length > 0, `${recovery.length} recovery codes`)
  const confirm = wrong => async address => {
    await tab.open(address)
    if (wrong) {
      await tab.type('input[name=code]', '000000')
      await tab.click('main button')
      check((await warning()).includes('not valid'), 'a wrong code is told')
    }
    await tab.type('input[name=code]', code(secret))
    await tab.click('main button')
    check((await notice()).startsWith('Done.'), 'the page of a code says that it is done')
  }
  for (const client of clients) {
    const name = `by-${client.name}`
    const folder = path.join(place, name)
    fs.mkdirSync(folder, { recursive: true })
    fs.writeFileSync(path.join(folder, 'package.json'), JSON.stringify({ name, version: '1.0.0' }))
    const there = async () => (await fetch(`${server.url}${name}`)).status
    const alone = await client.run(['publish'], folder)
    check(alone.status !== 0 && /one-time/i.test(alone.text) && await there() === 404, `${client.name}: publish without a terminal: ${alone.status} ${short(alone.text)}`)
    const change = async (words, ask = confirm(false)) => {
      const done = await client.run(words, folder, ask)
      check(done.status === 0 && done.opened, `${client.name}: ${words.join(' ')} in the browser: ${done.status}, browser ${done.opened} ${done.status ? short(done.text) : ''}`)
    }
    await change(['publish'], confirm(true))
    await change(['dist-tag', 'add', `${name}@1.0.0`, 'next'])
    await change(['deprecate', name, 'old'])
    const document = await (await fetch(`${server.url}${name}`)).json()
    const { next } = document['dist-tags'] ?? {}
    check(next === '1.0.0' && document.versions['1.0.0'].deprecated === 'old', `${client.name}: what was confirmed is there`)
    await change(['owner', 'add', 'bob', name])
    await change(['dist-tag', 'rm', name, 'next'])
    await change(['unpublish', name, '--force'])
    check(await there() === 404, `${client.name}: what was unpublished is gone`)
    await log(client, logIn(() => code(secret)), 'login with a code in the browser')
  }
}
