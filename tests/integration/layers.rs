//! Promise: data flows one way down through the rooms, and no two files import each other.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// The rooms from the top down. A file imports from its own room and from lower floors only.
const FLOORS: [&[&str]; 7] = [
    &["main", "lib", "cli"],
    &["tag", "similar"],
    &["train", "classify", "bench", "check"],
    &["evaluate"],
    &["inference"],
    &["model", "dataset"],
    &["frontend"],
];
/// Rooms that import no other room.
const GROUND: [&str; 4] = ["audio", "files", "gpu", "rng"];

/// Names of a module, from the crate's root: `["gpu", "timing"]`.
type Module = Vec<String>;

struct Tree {
    /// Each module's source without comments and unit tests.
    sources: BTreeMap<Module, String>,
}

impl Tree {
    fn read() -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
        let mut sources = BTreeMap::new();
        let mut folders = vec![root.clone()];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                } else if path.extension().is_some_and(|e| e == "rs") {
                    let module = module(path.strip_prefix(&root).unwrap());
                    if module.last().is_some_and(|name| name == "tests") {
                        continue;
                    }
                    let text = std::fs::read_to_string(&path).unwrap();
                    sources.insert(module, code(&text));
                }
            }
        }
        Self { sources }
    }

    /// The module that defines what `path` names, seen from `from`; `None` for other crates.
    fn resolve(&self, from: &Module, path: &[String], depth: usize) -> Option<Module> {
        let mut at: Module = Vec::new();
        let mut rest = path;
        match path.first()?.as_str() {
            "crate" => rest = &path[1..],
            "self" => (at, rest) = (from.clone(), &path[1..]),
            "super" => {
                at = from.clone();
                while rest.first().is_some_and(|s| s == "super") {
                    at.pop();
                    rest = &rest[1..];
                }
            }
            // A path that begins with a child module.
            first => {
                at = from.clone();
                at.push(first.to_owned());
                if !self.sources.contains_key(&at) {
                    return None;
                }
                rest = &path[1..];
            }
        }
        for name in rest {
            let child: Module = at.iter().cloned().chain([name.clone()]).collect();
            if self.sources.contains_key(&child) {
                at = child;
                continue;
            }
            // A name that this module passes on from another.
            for (_, used) in uses(self.sources.get(&at)?)
                .into_iter()
                .filter(|(pass, _)| *pass)
            {
                if used.last() == Some(name) && depth < 8 {
                    let found = self.resolve(&at, &used, depth + 1);
                    return found.or(Some(at));
                }
            }
            break;
        }
        Some(at)
    }

    /// Which modules each module imports from, re-exports aside.
    fn imports(&self) -> BTreeMap<Module, BTreeSet<Module>> {
        let import = |(module, source): (&Module, &String)| {
            let found = uses(source)
                .into_iter()
                .filter(|(passed_on, _)| !passed_on)
                .filter_map(|(_, path)| self.resolve(module, &path, 0))
                .filter(|to| to != module)
                .collect();
            (module.clone(), found)
        };
        self.sources.iter().map(import).collect()
    }
}

/// The module of a file below `src`.
fn module(path: &Path) -> Module {
    let mut names: Vec<String> = path
        .with_extension("")
        .iter()
        .map(|n| n.to_str().unwrap().to_owned())
        .collect();
    if matches!(names.last().map(String::as_str), Some("mod" | "lib")) {
        names.pop();
    }
    names
}

/// The source without line comments and without what follows `#[cfg(test)]`, which ends a file
/// here.
fn code(text: &str) -> String {
    let text = text.split("#[cfg(test)]").next().unwrap_or_default();
    let lines = text.lines().filter(|l| !l.trim_start().starts_with("//"));
    lines.collect::<Vec<_>>().join("\n")
}

/// Every path of the `use` declarations, and whether the declaration passes it on (`pub use`).
fn uses(source: &str) -> Vec<(bool, Vec<String>)> {
    let mut found = Vec::new();
    for statement in source.split(';') {
        let lines = statement
            .lines()
            .filter(|l| !l.trim_start().starts_with("#["));
        let statement = lines.collect::<Vec<_>>().join(" ");
        let statement = statement.trim();
        let Some((before, paths)) = statement.split_once("use ") else {
            continue;
        };
        let public = before.trim().starts_with("pub");
        if !before.trim().is_empty() && !public {
            continue;
        }
        expand(paths.trim(), &[], &mut |path| found.push((public, path)));
    }
    found
}

/// Writes `a::{b, c::d}` out as `a::b` and `a::c::d`.
fn expand(text: &str, prefix: &[String], each: &mut impl FnMut(Vec<String>)) {
    let text = text.split(" as ").next().unwrap_or_default().trim();
    if let Some((head, group)) = text.split_once('{') {
        let mut prefix = prefix.to_vec();
        let names = head.split("::").map(str::trim).filter(|n| !n.is_empty());
        prefix.extend(names.map(str::to_owned));
        let group = group.trim().strip_suffix('}').unwrap_or(group);
        let (mut depth, mut start) = (0, 0);
        for (i, c) in group.char_indices().chain([(group.len(), ',')]) {
            match c {
                '{' => depth += 1,
                '}' => depth -= 1,
                ',' if depth == 0 => {
                    let item = group[start..i].trim();
                    if !item.is_empty() {
                        expand(item, &prefix, each);
                    }
                    start = i + 1;
                }
                _ => {}
            }
        }
        return;
    }
    let names = text
        .split("::")
        .map(str::trim)
        .filter(|n| *n != "self" || prefix.is_empty());
    each(
        prefix
            .iter()
            .cloned()
            .chain(names.map(str::to_owned))
            .collect(),
    );
}

#[test]
fn rooms_import_downwards_only() {
    let floor = |room: &str| {
        let upper = FLOORS.iter().position(|rooms| rooms.contains(&room));
        upper.or_else(|| GROUND.contains(&room).then_some(FLOORS.len()))
    };
    let mut wrong = Vec::new();
    let imports = Tree::read().imports();
    assert!(imports.len() > 150, "the files were found");
    for (from, all) in &imports {
        // `lib.rs` is the root of all.
        let Some(room) = from.first() else { continue };
        for to in all
            .iter()
            .filter_map(|to| to.first())
            .filter(|to| *to != room)
        {
            let (above, below) = (floor(room), floor(to));
            assert!(
                above.is_some() && below.is_some(),
                "{room} and {to} have a floor"
            );
            if above >= below {
                wrong.push(format!("{} imports {to}", from.join("::")));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn no_files_import_each_other() {
    let imports = Tree::read().imports();
    let edges: usize = imports.values().map(BTreeSet::len).sum();
    assert!(edges > 300, "the imports were found: {edges}");
    // Takes away files that import nothing which is left: what remains lies on circles.
    let mut left = imports;
    loop {
        let ends: Vec<Module> = left
            .iter()
            .filter(|(_, to)| !to.iter().any(|t| left.contains_key(t)))
            .map(|(from, _)| from.clone())
            .collect();
        if ends.is_empty() {
            break;
        }
        for end in ends {
            left.remove(&end);
        }
    }
    let left: Vec<PathBuf> = left.keys().map(|m| m.iter().collect()).collect();
    assert!(left.is_empty(), "on circles: {left:#?}");
}
