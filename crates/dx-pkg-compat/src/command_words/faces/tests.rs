use super::*;

fn told(line: &str) -> String {
    let words: Vec<OsString> = line.split(' ').map(OsString::from).collect();
    let face = Face::of(Path::new(&words[0])).unwrap();
    match face.translate(words) {
        Ok(found) => {
            let words = found.words[1..].iter().map(|word| word.to_str().unwrap());
            let root = if found.at_root { " at root" } else { "" };
            format!("{}{root}", words.collect::<Vec<_>>().join(" "))
        }
        Err(error) => format!("not spoken: {}", error.words),
    }
}

#[test]
fn programs_are_known_by_their_names() {
    for (program, face) in [
        ("/x/bin/npm", Some(Face::Npm)),
        ("npx.exe", Some(Face::Npx)),
        ("yarnpkg", Some(Face::Yarn)),
        ("pnpx", Some(Face::Pnpx)),
        ("/x/dx", None),
        ("npm-cli", None),
    ] {
        assert_eq!(Face::of(Path::new(program)), face, "{program}");
    }
}

#[test]
fn command_lines_are_dxs() {
    for (line, expected) in [
        ("npm ci --omit=dev", "ci --omit=dev"),
        ("npx eslint --fix .", "exec -- eslint --fix ."),
        ("npx -y -p a@1 -c run", "exec -y -p a@1 -c run"),
        ("npx --registry http://x cowsay -y", "exec --registry http://x -- cowsay -y"),
        ("npx --yes=false a", "exec --yes=false -- a"),
        ("npx --no-install -- a -b", "exec --no -- a -b"),
        ("npx -n x a", "exec -- a"),
        ("npx", "exec"),
        ("npx --help", "exec --help"),
        ("pnpx --package=a b --c", "dlx --package=a -- b --c"),
        ("pnpm", "--help"),
        ("pnpm i --frozen-lockfile", "i --frozen-lockfile"),
        ("pnpm i -P", "i --prod"),
        ("pnpm install --dev", "not spoken: pnpm install --dev"),
        ("pnpm add -D a b", "add -D a b"),
        ("pnpm add -w a", "add a at root"),
        ("pnpm --filter a add b", "add --workspace=a b"),
        ("pnpm -F ./packages/a build --x", "run --workspace=./packages/a build -- --x"),
        ("pnpm --filter a... run b", "not spoken: pnpm --filter a..."),
        ("pnpm -r build", "run --workspaces --if-present build"),
        ("pnpm eslint --fix --json", "eslint --fix --json"),
        ("pnpm -r run build", "run --workspaces --if-present build"),
        ("pnpm run build --x -- y", "run build -- --x -- y"),
        ("pnpm test -u", "test -- -u"),
        ("pnpm -r --parallel test", "test --workspaces --if-present"),
        ("pnpm -r install", "install"),
        ("pnpm exec eslint --fix", "exec --no -- eslint --fix"),
        ("pnpm -r exec -- ls -l", "exec --workspaces --no -- ls -l"),
        ("pnpm dlx -c x", "dlx -c -- x"),
        ("pnpm approve-builds", "approve-scripts"),
        ("pnpm up -L a", "up -L a"),
        ("pnpm env use 20", "not spoken: pnpm env"),
        ("pnpm i --config.strict-peer-deps=true", "i --strict-peer-deps=true"),
        ("pnpm dev --port 1", "dev --port 1"),
        ("yarn", "install"),
        ("yarn --frozen-lockfile", "install --frozen-lockfile"),
        ("yarn install --immutable --inline-builds", "install --immutable"),
        ("yarn --cwd a install", "-C a install"),
        ("yarn add -D a -W", "add --save-dev a"),
        ("yarn add --peer a", "add --save-peer a"),
        ("yarn remove a", "remove a"),
        ("yarn upgrade a --latest", "update a --latest"),
        ("yarn upgrade-interactive", "update -i"),
        ("yarn build --x", "build --x"),
        ("yarn run build --x", "run build -- --x"),
        ("yarn run build -- --x", "run build -- --x"),
        ("yarn test -u", "test -- -u"),
        ("yarn workspace a add b -D", "add --workspace=a b --save-dev"),
        ("yarn workspace a build --x", "run --workspace=a build -- --x"),
        ("yarn workspace a run build", "run --workspace=a build"),
        ("yarn workspaces run test", "run --workspaces --if-present test"),
        ("yarn workspaces foreach -Apt run b", "run --workspaces --if-present b"),
        ("yarn workspaces foreach --from x run b", "not spoken: yarn workspaces foreach --from"),
        ("yarn workspaces focus", "not spoken: yarn workspaces focus"),
        ("yarn dlx -p a b --c", "dlx -p a -- b --c"),
        ("yarn global add a", "add a --global"),
        ("yarn npm publish --tag x", "publish --tag x"),
        ("yarn list --pattern a", "ls --all a"),
        ("yarn init -yp", "init -yp"),
        ("yarn init -p", "init --init-private=true"),
        ("yarn create vite x --template y", "create vite x --template y"),
        ("yarn node a.js", "exec --call=node 'a.js'"),
        ("yarn version --new-version 1.2.3", "version 1.2.3"),
        ("yarn set version stable", "not spoken: yarn set"),
        ("yarn --help", "--help"),
    ] {
        assert_eq!(told(line), expected, "{line}");
    }
}

#[test]
fn words_without_a_meaning_are_named() {
    let words = ["pnpm", "-r", "--parallel", "run", "x"].map(OsString::from).to_vec();
    let found = Face::Pnpm.translate(words).unwrap();
    assert_eq!(
        found.notes,
        ["--parallel has no meaning for dx: scripts of workspaces run one after the other"]
    );
}
