// Bare git repositories, written object by object: the same commits on every machine, without a process.
'use strict'

const crypto = require('node:crypto')
const fs = require('node:fs')
const path = require('node:path')
const zlib = require('node:zlib')

class Repository {
  constructor () {
    this.objects = new Map()
    this.references = new Map()
  }

  object (type, body) {
    const bytes = Buffer.concat([Buffer.from(`${type} ${body.length}\0`), body])
    const id = crypto.createHash('sha1').update(bytes).digest('hex')
    this.objects.set(id, bytes)
    return id
  }

  /** Adds the tree of `{path: {text, mode}}`. */
  tree (files) {
    const folders = {}
    const entries = []
    for (const [file, content] of Object.entries(files)) {
      const slash = file.indexOf('/')
      if (slash < 0) {
        const mode = content.mode & 0o100 ? '100755' : '100644'
        entries.push([file, mode, this.object('blob', Buffer.from(content.text))])
      } else {
        (folders[file.slice(0, slash)] ||= {})[file.slice(slash + 1)] = content
      }
    }
    for (const [folder, inner] of Object.entries(folders)) {
      entries.push([folder, '40000', this.tree(inner)])
    }
    const order = ([name, mode]) => Buffer.from(mode === '40000' ? `${name}/` : name)
    entries.sort((a, b) => Buffer.compare(order(a), order(b)))
    const parts = entries.map(([name, mode, id]) => Buffer.concat([Buffer.from(`${mode} ${name}\0`), Buffer.from(id, 'hex')]))
    return this.object('tree', Buffer.concat(parts))
  }

  /** Adds a commit after `parent`; returns its id. */
  commit (files, parent, number) {
    const who = `A <a@example.com> ${1700000000 + number * 1000} +0000`
    const lines = [`tree ${this.tree(files)}`, ...parent ? [`parent ${parent}`] : [], `author ${who}`, `committer ${who}`, '', `commit ${number}\n`]
    return this.object('commit', Buffer.from(lines.join('\n')))
  }

  write (folder) {
    fs.mkdirSync(path.join(folder, 'refs/heads'), { recursive: true })
    fs.writeFileSync(path.join(folder, 'HEAD'), 'ref: refs/heads/main\n')
    fs.writeFileSync(path.join(folder, 'config'), '[core]\n\trepositoryformatversion = 0\n\tbare = true\n[uploadpack]\n\tallowAnySHA1InWant = true\n\tallowFilter = true\n')
    for (const [id, bytes] of this.objects) {
      const file = path.join(folder, 'objects', id.slice(0, 2), id.slice(2))
      fs.mkdirSync(path.dirname(file), { recursive: true })
      fs.writeFileSync(file, zlib.deflateSync(bytes))
    }
    const lines = [...this.references].sort(([a], [b]) => a < b ? -1 : 1).map(([name, id]) => `${id} ${name}\n`)
    fs.writeFileSync(path.join(folder, 'packed-refs'), lines.join(''))
  }
}

/** The repository of `{commits: [{files, tags, branches}]}`. */
const repository = ({ commits }) => {
  const made = new Repository()
  let parent
  commits.forEach((commit, number) => {
    parent = made.commit(commit.files, parent, number)
    for (const tag of commit.tags || []) {
      made.references.set(`refs/tags/${tag}`, parent)
    }
    for (const branch of commit.branches || []) {
      made.references.set(`refs/heads/${branch}`, parent)
    }
  })
  made.references.set('refs/heads/main', parent)
  return made
}

/** The ids of a repository's commits. */
exports.commits = described => {
  const made = repository(described)
  return [...made.objects].filter(([, bytes]) => bytes.subarray(0, 6).toString() === 'commit').map(([id]) => id)
}

exports.writeRepository = (described, folder) => repository(described).write(folder)
