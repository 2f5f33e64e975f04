// Writes what npm's `npm-package-arg` package makes of a list of specs and arguments, for `tests/it/specs.rs`.
//
//   node tests/oracle/specs.cjs <folder of npm's node_modules> > tests/fixtures/specs.txt
//
// Tab-separated records; `-` stands for nothing, and paths are those of a project in /project with the home /home/user:
//   spec <text> <type> <what is fetched> <as saved> <committish> <range> <subdirectory>
//   spec <text> error
//   argument <text> <name> <spec> <type>
//   argument <text> error
//   name <text> <installable> <publishable>
'use strict';

process.env.HOME = '/home/user';
const [, , modules] = process.argv;
const npa = require(`${modules}/npm-package-arg`);
const validateName = require(`${modules}/validate-npm-package-name`);

const specs = [
  '', '*', 'x', '^1.2.3', '~1.2', '1.2', '1.x || >=2.5.0 || 5.0.0 - 7.2.3', '>=1 <2', '1.2.3', 'v1.2.3', '=1.2.3',
  ' = 1.2.3 ', '01.2.3', '1.2.3beta', '1.2.3-beta.1', '1.2.34.5', '1.2.3.4', '1.2.3 beta', '1.2.3 || foo', '||', '^', '>',
  'latest', 'next', '-x', '--foo', '!foo', '~a', "it's", 'a~b', '1.2.3-', 'é', '%20', 'a%b', 'a b', 'a@b', 'foo bar',
  'npm:bar', 'npm:bar@', 'npm:bar@^1', 'npm:bar@1.2.3', 'npm:@s/bar', 'npm:@s/bar@latest', 'NPM:bar@1', 'npm:',
  'npm:bar@npm:baz@1', 'npm:bar@github:a/b', 'npm:bar@file:../x', 'npm:../x', 'npm:.bin@1', 'npm:@s@1', 'npm:a b@1',
  'user/repo', 'user/repo#', 'user/repo#branch', 'user/repo#feature/x', 'user/repo#semver:^1', 'user/repo#SEMVER:^1',
  'user/repo#semver:^1.2.3 || 2', 'user/repo#semver:%5E1', 'user/repo#path:sub', 'user/repo#a::path:sub/x',
  'user/repo#semver:1::path:sub', 'user/repo#a::b', 'user/repo#a::semver:1', 'user/repo#semver:1::semver:2', 'user/repo#x:y',
  'user/repo#a#b', 'user/repo#a%2fb', 'git+https://example.com/a.git#%20x', 'git+https://example.com/a.git#semver:%5E1', 'user/repo.git', 'user/repo.js', 'user/repo/', 'user/.repo', '.user/repo', '-user/repo', 'user/-repo', 'us er/repo',
  'user/repo #x', '@user/repo', 'us@er/repo', 'a/b/c', 'a/b#c/d', 'foo/a.tgz', '/user/repo',
  'github:user/repo', 'github:user/repo#v1', 'github:User/Repo.git#Feat/X', 'github:user/repo/x',
  'github:/user/repo', 'github:user/repo#semver:~2', 'gitlab:user/repo', 'gitlab:group/sub/repo',
  'bitbucket:user/repo#x', 'gist:11081aaa281', 'gist:user/11081aaa281#x', 'sourcehut:~user/repo',
  'git+ssh://git@github.com/user/repo.git', 'git+ssh://git@github.com:user/repo.git#semver:^2', 'git+ssh://github.com/user/repo',
  'ssh://git@github.com/user/repo', 'git+https://github.com/user/repo.git', 'git+https://user:pass@github.com/user/repo.git#x',
  'git+https://token@github.com/user/repo', 'git://github.com/user/repo.git', 'git+git://github.com/user/repo',
  'https://github.com/user/repo', 'https://www.github.com/user/repo', 'https://github.com/user/repo.git#x',
  'https://github.com/user/repo#semver:^1', 'http://github.com/user/repo', 'https://github.com/user/repo/tree/main',
  'https://github.com/user/repo/tree/main#x', 'https://github.com/user/repo/tarball/master', 'https://github.com/user',
  'https://github.com/user/repo/archive/v1.tar.gz', 'https://codeload.github.com/user/repo/tar.gz/v1',
  'https://gitlab.com/user/repo', 'https://gitlab.com/group/sub/repo.git', 'https://gitlab.com/user/repo/-/archive/x.tar.gz',
  'http://gitlab.com/user/repo', 'git://gitlab.com/user/repo', 'https://bitbucket.org/user/repo.git',
  'https://bitbucket.org/user/repo/get/x.tar.gz', 'https://gist.github.com/user/11081aaa281', 'https://gist.github.com/11081aaa281.git',
  'git@github.com:user/repo.git', 'git@github.com:user/repo', 'git@github.com:user/repo.git#v1', 'git@gitlab.com:group/sub/repo.git',
  'git+ssh://git@gitlab.com/group/sub/repo.git', 'git+ssh://git@example.com/user/repo.git#abc', 'git+ssh://git@example.com:user/repo.git',
  'git+ssh://git@example.com:user/repo.git#semver:1', 'git+ssh://git@example.com:22/user/repo.git', 
  'git+https://example.com/a.git#semver:~1', 'git+https://example.com/a.git#v1', 'git+https://example.com/a.git#a::path:b',
  'git+http://example.com/a.git', 'GIT+HTTPS://example.com/a.git', 'git+file:///a/b', 'git+file://a/b', 'git+rsync://h/x', 'git+ftp://h/x', 'git+svn://h/x',
  'git://example.com/a', 'git://example.com/a#b', 'ssh://git@example.com/x',
  'https://example.com/a.git', 'https://example.com/x.tgz', 'http://example.com/x', 'https://example.com/x.tgz#abc',
  'HTTPS://example.com/x.tgz', 'https://user:pass@example.com/x.tgz', 'ftp://example.com/x', 'foo:bar', 'a:b/c', 'x:1', 'link:../a',
  'portal:../a', 'patch:x', 'catalog:', 'jsr:@a/b@1',
  'file:', 'file:a', 'file:./a', 'file:../a', 'file:a.tgz', 'file:a/b.tar.gz', 'file:/a', 'file://a', 'file:///a', 'file:////a',
  'file:/./a', 'file:/../a', 'file://../a', 'file:///../a', 'file://./a', 'file:~/a', 'file:/~/a', 'file://~/a', 'file:a b', 'file:a%20b', 'file:a#b', 'file:a?b', 'file:/a/..', 'file:..', 'file:/..',
  '.', '..', './a', '../a', '../a#b', '/abs', '/abs/', '~/a', './a.tgz', '../a.tgz', 'a.tgz', 'a.tar', 'a.tar.gz', 'a.TGZ', 'a.tgz#b', 'a/b.tgz/c',
  'C:\\x\\y', 'c:x.tgz', '.\\a', '..\\a',
];
const args = [
  'lodash', 'lodash@', 'lodash@^4', 'lodash@latest', 'lodash@4.17.21', 'lodash@>=1 <2', '@s/p', '@s/p@', '@s/p@1', '@s/p@npm:@t/q@2', 'a@npm:b',
  'a@github:u/r', 'a@u/r', 'a@../b', 'a@file:../b', 'a@https://example.com/x.tgz', 'a@git+ssh://git@example.com/x.git#v1', 'u/r', 'u/r#x', 'github:u/r',
  './a', '../a', '/a', '.', '~/a', 'a.tgz', './a.tgz', 'file:a', 'https://example.com/x.tgz', 'git@github.com:u/r', 'git@example.com:u/r', 'git@example.com:u/r.git#v1', 'git+https://example.com/x',
  'Upper', 'a b', '@s', '@', '.a', '_a', '-a', '@s/.a', '@s/p/q', 'a@b@c', '@s/p@a/b', '1.2.3', 'a@@b', 'node_modules', 'a@ ^1 ',
  '.bin@1', '@s/a b@1', 'a%2fb@1', 'foo.js', 'foo.js@1',
];
const names = [
  'a', 'lodash', '@s/p', 'Upper', 'JSONStream', 'foo.js', 'foo-bar', 'foo_bar', '1', "a'b", 'a!b', 'a~b', 'a(b)', 'a*b', '@s/a~b', '@s~/a', '@S/p', '@s/P', '@s/_p', '@s/-p', 'http', 'fs', 'process', 'Http', 'zlib', 'node', 'npm', 'con', 'a.', '@./a', '@../a', '@a.b/c',
  '', '.', '..', '.a', '_a', '-a', ' a', 'a ', 'a b', 'a/b', 'a\\b', '@s', '@s/', '@/p', '@', '/', '@s/p/q', '@s/.p', '@s/..', '@s/.bin', '.bin', 'node_modules', 'Node_Modules', 'favicon.ico', 'FAVICON.ICO', 'a:b', 'a%b', 'a%2fb', 'a#b', 'a?b', 'a&b', 'a+b', 'a,b', 'a=b', 'a@b', 'a;b', 'a$b', 'é', 'a|b', 'a"b', 'a<b',
  'a'.repeat(213), 'a'.repeat(214),
];

const field = (value) => (value === null || value === undefined || value === '' ? '-' : String(value));
for (const text of new Set(specs)) {
  try {
    const spec = npa.resolve('name', text, '/project');
    const target = spec.type === 'alias' ? spec.subSpec : spec;
    const fetched = spec.type === 'alias' ? `${target.name}@${target.type}:${target.fetchSpec}` : target.fetchSpec;
    const fields = [spec.type, fetched, spec.saveSpec, spec.gitCommittish, spec.gitRange, spec.gitSubdir];
    console.log(['spec', text, ...fields.map(field)].join('\t'));
  } catch {
    console.log(`spec\t${text}\terror`);
  }
}
for (const text of new Set(args)) {
  try {
    const spec = npa(text, '/project');
    console.log(['argument', text, spec.name && spec.type !== 'git' ? spec.name : field(spec.name), spec.rawSpec, spec.type].map(field).join('\t'));
  } catch {
    console.log(`argument\t${text}\terror`);
  }
}
for (const text of names) {
  const { validForOldPackages, validForNewPackages } = validateName(text);
  console.log(['name', text, validForOldPackages, validForNewPackages].join('\t'));
}
