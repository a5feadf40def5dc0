//! Promise: `similar` names the rows with the largest cosine, the same from every format of table,
//! and says what it leaves out.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use sonoprint::classify::{
    Content, FileResult, Format, Outcome, Prediction, Schema, Table, names_of,
};
use sonoprint::model::Task;
use sonoprint::similar::{
    EmbeddingTable, Nearest, Query, Rule, SimilarError, find, for_each_row, named, nearest,
    write_matrix,
};

use crate::support::{data, noise, rendered};

/// Rows of a table: a path and an embedding.
type Rows = Vec<(String, Vec<f32>)>;

const RULE: Rule = Rule {
    top: 5,
    copies: false,
};

/// Writes rows as `classify` does.
fn write(path: &Path, rows: &Rows) {
    let schema = Schema {
        classes: vec!["a".into()],
        top: 1,
        model: "0123456789ab".into(),
        rule: Task::SingleLabel.into(),
    };
    let format = Format::of(path).unwrap();
    let file = std::fs::File::create(path).unwrap();
    let mut table = Table::new(file, Content::Embeddings, format, schema).unwrap();
    for (path, embedding) in rows {
        let prediction = Prediction {
            probabilities: vec![1.0],
            seconds: 1.0,
            clips: 1,
            silent: 0,
            padded: false,
            damaged: None,
            embedding: embedding.clone(),
            timeline: Vec::new(),
        };
        let result = FileResult {
            path: PathBuf::from(path),
            stamp: None,
            outcome: Outcome::Ok(prediction),
        };
        table.write(&result).unwrap();
    }
    table.finish().unwrap();
}

/// A table of `count` rows of `dim` numbers, sorted by path.
fn random(count: usize, dim: usize) -> Rows {
    let values = noise(count * dim, 7);
    let vectors = values.chunks_exact(dim).map(<[f32]>::to_vec);
    let paths = (0..count).map(|i| format!("music/{i:05}.mp3"));
    paths.zip(vectors).collect()
}

fn cosine(a: &[f32], b: &[f32]) -> f64 {
    let dot = |a: &[f32], b: &[f32]| -> f64 {
        a.iter()
            .zip(b)
            .map(|(&x, &y)| f64::from(x) * f64::from(y))
            .sum()
    };
    dot(a, b) / (dot(a, a) * dot(b, b)).sqrt()
}

/// The rows in the order of their cosines in f64, without `row` itself.
fn expected(rows: &Rows, row: usize, top: usize) -> Vec<(String, f64)> {
    let others = rows.iter().enumerate().filter(|(i, _)| *i != row);
    let mut all: Vec<(String, f64)> = others
        .map(|(_, (path, vector))| (path.clone(), cosine(&rows[row].1, vector)))
        .collect();
    all.sort_by(|a, b| b.1.total_cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    all.truncate(top);
    all
}

/// Returns the neighbors of the row of a path.
fn neighbors(table: &EmbeddingTable, path: &str, rule: Rule) -> (Vec<(String, f32)>, Nearest) {
    let rows = find(table, &[path.into()]).unwrap().remove(0);
    let vector = table.vectors(rows[0]..rows[0] + 1).unwrap();
    let query = Query::new(vector, rows).unwrap();
    let (mut found, _) = nearest(table, &[query], rule).unwrap();
    let names = named(table, &found).unwrap().remove(0);
    (names, found.remove(0))
}

fn same(found: &[(String, f32)], expected: &[(String, f64)]) {
    let paths = |i: usize| (&found[i].0, &expected[i].0);
    assert_eq!(found.len(), expected.len());
    for i in 0..found.len() {
        assert_eq!(paths(i).0, paths(i).1, "rank {}", i + 1);
        assert!((f64::from(found[i].1) - expected[i].1).abs() < 1e-5);
    }
}

/// The shape and the values of a `.npy` file of f32, whose values begin on a page.
fn npy(bytes: &[u8]) -> (String, Vec<f32>) {
    let (header, values) = bytes.split_at(4096);
    assert_eq!(&header[..10], b"\x93NUMPY\x01\x00\xf6\x0f");
    let text = std::str::from_utf8(&header[10..]).unwrap().trim_end();
    let start = "{'descr': '<f4', 'fortran_order': False, 'shape': ";
    let shape = text
        .strip_prefix(start)
        .unwrap()
        .strip_suffix(", }")
        .unwrap();
    let values = values
        .chunks_exact(4)
        .map(|b| f32::from_le_bytes(b.try_into().unwrap()));
    (shape.to_owned(), values.collect())
}

fn run(folder: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sonoprint"));
    command
        .args(arguments)
        .current_dir(folder)
        .output()
        .unwrap()
}

/// Runs the program, which must end with `code`. Returns what it printed to stdout and stderr.
fn ends(code: i32, folder: &Path, arguments: &[&str]) -> [String; 2] {
    let done = run(folder, arguments);
    let [out, err] = [done.stdout, done.stderr].map(|text| String::from_utf8(text).unwrap());
    assert_eq!(done.status.code(), Some(code), "{arguments:?}: {out}{err}");
    [out, err]
}

/// Several row groups and parts, a query of each, in every format.
#[test]
fn every_format_gives_the_neighbors_of_a_plain_search() {
    let folder = tempfile::tempdir().unwrap();
    let rows = random(9000, 13);
    for name in ["t.parquet", "t.jsonl"] {
        let path = folder.path().join(name);
        write(&path, &rows);
        let table = EmbeddingTable::open(&path).unwrap();
        assert_eq!((table.rows(), table.dim()), (9000, 13), "{name}");
        let model = name.ends_with("parquet").then_some("0123456789ab");
        assert_eq!(table.model(), model);
        for row in [0, 1023, 8191, 8192, 8999] {
            let (found, _) = neighbors(&table, &rows[row].0, RULE);
            same(&found, &expected(&rows, row, 5));
        }
    }
}

/// The rows of a table in every order that the cores may take, with more queries than one tile.
#[test]
fn all_rows_at_once_give_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("t.parquet");
    let rows = random(300, 7);
    write(&path, &rows);
    let table = EmbeddingTable::open(&path).unwrap();
    let mut row = 0;
    let left_out = for_each_row(&table, RULE, |path, found| {
        assert_eq!(path, rows[row].0);
        same(found, &expected(&rows, row, 5));
        row += 1;
        Ok::<_, SimilarError>(())
    });
    assert_eq!(row, 300);
    assert_eq!(left_out.unwrap(), Default::default());
    let mut matrix = Vec::new();
    write_matrix(&table, &mut matrix, |_| {}).unwrap();
    let (shape, values) = npy(&matrix);
    assert_eq!(shape, "(300, 300)");
    for (i, value) in values.iter().enumerate() {
        let wanted = cosine(&rows[i / 300].1, &rows[i % 300].1);
        assert!((f64::from(*value) - wanted).abs() < 1e-5);
    }
}

/// Zero, missing, not a number; copies of the query; equals.
#[test]
fn rows_without_a_direction_and_copies_are_left_out_and_counted() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("t.jsonl");
    let text = [
        r#"{"path":"z","embedding":[2,0]}"#,
        r#"{"path":"zero","embedding":[0,0]}"#,
        r#"{"path":"query","embedding":[1,0]}"#,
        r#"{"path":"none","embedding":null}"#,
        r#"{"path":"empty","embedding":[]}"#,
        r#"{"path":"copy","embedding":[1,0]}"#,
        r#"{"path":"nan","embedding":[null,1]}"#,
        r#"{"path":"large","embedding":[1e39,1]}"#,
        r#"{"path":"a","embedding":[3,0]}"#,
        r#"{"path":"opposite","embedding":[-1,0]}"#,
    ];
    std::fs::write(&path, text.join("\n")).unwrap();
    let table = EmbeddingTable::open(&path).unwrap();
    let (found, nearest) = neighbors(&table, "query", RULE);
    let paths: Vec<&str> = found.iter().map(|(path, _)| path.as_str()).collect();
    assert_eq!(paths, ["a", "z", "opposite"]);
    assert_eq!((found[0].1, found[2].1, nearest.copies), (1.0, -1.0, 1));
    let rule = Rule {
        copies: true,
        ..RULE
    };
    let (found, nearest) = neighbors(&table, "query", rule);
    assert_eq!((found[1].0.as_str(), nearest.copies), ("copy", 0));

    let [out, err] = ends(0, folder.path(), &["similar", "query", "--in", "t.jsonl"]);
    assert_eq!(out, " 1.0000  a\n 1.0000  z\n-1.0000  opposite\n");
    assert!(err.contains("5 rows of t.jsonl have no embedding"), "{err}");
    assert!(err.contains("1 copies"), "{err}");
    let [_, err] = ends(2, folder.path(), &["similar", "zero", "--in", "t.jsonl"]);
    assert!(err.contains("no direction to compare"), "{err}");
    // One of two is enough.
    let [out, err] = ends(
        1,
        folder.path(),
        &[
            "similar", "gone", "./query", "--in", "t.jsonl", "--top", "1",
        ],
    );
    assert_eq!(out, "query\n 1.0000  z\n");
    assert!(
        err.contains("gone is neither a row of t.jsonl nor a file"),
        "{err}"
    );
}

#[test]
fn what_is_no_table_of_embeddings_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    std::fs::write(
        at("lengths.jsonl"),
        "{\"path\":\"a\",\"embedding\":[1,2]}\n{\"path\":\"b\",\"embedding\":[1]}\n",
    )
    .unwrap();
    std::fs::write(
        at("cut.jsonl"),
        "{\"path\":\"a\",\"embedding\":[1,2]}\n{\"path\":\"b\",\"emb",
    )
    .unwrap();
    std::fs::write(at("empty.jsonl"), "").unwrap();
    std::fs::write(at("nulls.jsonl"), "{\"path\":\"a\",\"embedding\":null}\n").unwrap();
    std::fs::write(at("text.parquet"), "PAR1 and no more PAR1").unwrap();
    std::fs::write(at("text.npy"), "numbers").unwrap();
    std::fs::write(at("t.csv"), "path,status,\n").unwrap();
    let rows = random(3, 2);
    write(&at("t.parquet"), &rows);
    let mut bytes = std::fs::read(at("t.parquet")).unwrap();
    bytes.truncate(bytes.len() - 1);
    std::fs::write(at("cut.parquet"), bytes).unwrap();
    for (name, what) in [
        (
            "lengths.jsonl",
            "row 1 of lengths.jsonl has an embedding of 1 numbers, and not of 2",
        ),
        ("cut.jsonl", "line 2: "),
        ("empty.jsonl", "has no embeddings"),
        ("nulls.jsonl", "has no embeddings"),
        ("text.parquet", "is not a table of embeddings"),
        ("cut.parquet", "is not a table of embeddings"),
        ("text.npy", "is not a table of embeddings"),
        (
            "t.csv",
            "embeddings are read from .parquet, .jsonl and .npy files",
        ),
        ("gone.parquet", "cannot read gone.parquet"),
    ] {
        let [_, err] = ends(2, folder.path(), &["similar", "a", "--in", name]);
        assert!(err.contains(what), "{name}: {err}");
    }
}

/// `--out` in every format, for one track and for all, and what may not be written over.
#[test]
fn neighbors_are_written_as_tables_playlists_and_a_matrix() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    let rows = random(20, 4);
    write(&root.join("t.parquet"), &rows);
    let query = rows[3].0.as_str();
    let wanted = expected(&rows, 3, 2);
    let similar = |extra: &[&str]| {
        let arguments = [&["similar", "--in", "t.parquet", "--top", "2"], extra].concat();
        ends(0, root, &arguments)
    };
    let line = |rank: usize| {
        let (path, similarity) = &wanted[rank - 1];
        format!("{query},{rank},{path},{similarity:.4}\n")
    };
    let csv = format!("path,rank,neighbor,similarity\n{}{}", line(1), line(2));
    assert_eq!(similar(&[query, "--format", "csv"])[0], csv);
    similar(&[query, "--out", "n.csv"]);
    assert_eq!(std::fs::read_to_string(root.join("n.csv")).unwrap(), csv);
    similar(&["--all", "--out", "n.csv"]);
    let all = std::fs::read_to_string(root.join("n.csv")).unwrap();
    assert_eq!(all.lines().count(), 41);
    assert!(all.contains(&line(1)) && all.contains(&line(2)));
    similar(&["--all", "--out", "n.parquet"]);
    similar(&["--all", "--out", "n.jsonl"]);
    similar(&["--all", "--out", "n.jsonl"]);
    similar(&["--all", "--out", "n.npy"]);
    let matrix = std::fs::read(root.join("n.npy")).unwrap();
    assert_eq!(npy(&matrix).0, "(20, 20)");

    let m3u8 = format!(
        "#EXTM3U\n#sonoprint\n#PLAYLIST:Like 00003\n#EXTINF:-1,{}\n../{}\n#EXTINF:-1,{}\n../{}\n",
        &wanted[0].0[6..11],
        wanted[0].0,
        &wanted[1].0[6..11],
        wanted[1].0
    );
    std::fs::create_dir(root.join("lists")).unwrap();
    similar(&[query, "--out", "lists/like.m3u8"]);
    let list = root.join("lists/like.m3u8");
    assert_eq!(std::fs::read_to_string(&list).unwrap(), m3u8);
    assert_eq!(similar(&[query, "--m3u8"])[0], m3u8.replace("../", ""));

    std::fs::write(root.join("mine.m3u8"), "#EXTM3U\nsong.mp3\n").unwrap();
    std::fs::write(
        root.join("mine.npy"),
        b"\x93NUMPY\x01\x00\x76\x00{'descr': '<f4'",
    )
    .unwrap();
    for (out, what) in [
        ("mine.m3u8", "is not a playlist that sonoprint wrote"),
        ("t.parquet", "is the input"),
        ("n.txt", "a label track is of the clips of a file"),
        ("m.npy", "use --all"),
    ] {
        let [_, err] = ends(
            2,
            root,
            &["similar", query, "--in", "t.parquet", "--out", out],
        );
        assert!(err.contains(what), "{out}: {err}");
    }
    let arguments = ["similar", "--all", "--in", "t.parquet", "--out", "mine.npy"];
    let [_, err] = ends(2, root, &arguments);
    assert!(
        err.contains("is not a .npy matrix that sonoprint wrote"),
        "{err}"
    );
}

/// A NumPy matrix with its paths, from `classify` to `similar`, and a file that is not in the table.
#[test]
fn classify_writes_npy_and_similar_embeds_other_files() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    let clips = data("clips");
    let jazz = clips.join("jazz");
    let model = rendered();
    let classify = |embeddings: &str| {
        let arguments = ["classify", jazz.to_str().unwrap(), "--model", &model];
        let outputs = ["--out", "t.csv", "--embeddings", embeddings, "--fresh"];
        ends(
            0,
            root,
            &[&arguments[..], &outputs, &["--device", "cpu"]].concat(),
        )
    };
    classify("e.npy");
    // What is ours is written again.
    classify("e.npy");
    let bytes = std::fs::read(root.join("e.npy")).unwrap();
    let (shape, values) = npy(&bytes);
    let names = std::fs::read_to_string(names_of(&root.join("e.npy"))).unwrap();
    assert_eq!(names.lines().count(), 2, "{names}");
    assert_eq!(shape, format!("(2, {})", values.len() / 2));
    assert!(names.lines().is_sorted());
    classify("e.jsonl");
    let from = |path: &str| EmbeddingTable::open(&root.join(path)).unwrap();
    let (a, b) = (from("e.npy"), from("e.jsonl"));
    assert_eq!(a.vectors(0..2).unwrap(), values);
    assert_eq!(b.vectors(0..2).unwrap(), values);

    classify("e.parquet");
    let other = clips.join("metal").join("metal.00019.wav");
    let other = other.to_str().unwrap();
    let query = ["similar", other, "--device", "cpu", "--in"];
    let [out, _] = ends(
        0,
        root,
        &[&query[..], &["e.parquet", "--model", &model]].concat(),
    );
    assert_eq!(out.lines().count(), 2);
    let [_, err] = ends(2, root, &[&query[..], &["e.parquet"]].concat());
    assert!(err.contains("has embeddings of the model"), "{err}");
    assert!(
        err.contains("hint: name the model that made the table"),
        "{err}"
    );
    let [again, err] = ends(
        0,
        root,
        &[&query[..], &["e.npy", "--model", &model]].concat(),
    );
    assert_eq!(again, out);
    assert!(err.contains("does not say which model made it"), "{err}");
    // A matrix and its list that do not fit, and a list that is not ours.
    std::fs::write(root.join("e.npy.txt"), "one\n").unwrap();
    let [_, err] = ends(2, root, &["similar", "one", "--in", "e.npy"]);
    assert!(err.contains("it has 2 rows, and"), "{err}");
    std::fs::remove_file(root.join("e.npy")).unwrap();
    let outputs = ["--out", "u.csv", "--embeddings", "e.npy", "--device", "cpu"];
    let [_, err] = ends(2, root, &[&["classify", other], &outputs[..]].concat());
    assert!(err.contains("e.npy.txt exists"), "{err}");
}
