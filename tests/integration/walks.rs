//! Promises of walks and lists: every audio file is read or named as unreadable, what is left out
//! is counted, hidden files are skipped, and every name comes back from every table.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use sonoprint::classify::path_of_text;
use tempfile::TempDir;

use crate::support::{data, rendered, wav};

fn classify(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_sonoprint"))
        .arg("classify")
        .args(arguments)
        .args(["--device", "cpu", "--model", &rendered()])
        .output()
        .unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// The rows of a CSV table: path, status, reason.
fn rows(path: &Path) -> Vec<(String, String, String)> {
    let mut table = csv::Reader::from_path(path).unwrap();
    let names = table.headers().unwrap().clone();
    let column = |name: &str| names.iter().position(|n| n == name).unwrap();
    let (path, status, reason) = (column("path"), column("status"), column("reason"));
    let cell = |row: &csv::StringRecord, i: usize| row[i].to_owned();
    let rows = table.records().map(Result::unwrap);
    rows.map(|row| (cell(&row, path), cell(&row, status), cell(&row, reason)))
        .collect()
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

#[test]
fn nothing_is_passed_over_without_a_word() {
    let folder = TempDir::new().unwrap();
    let at = |name: &str| folder.path().join(name);
    for sub in ["a", ".hidden", "__MACOSX", "a/.AppleDouble"] {
        fs::create_dir_all(at(sub)).unwrap();
    }
    // The name decides only whether a file is taken.
    for name in ["a/1.m4b", "a/2.bwf", "3.oga", "a/4.MOV"] {
        wav(&at(name), 0.5, 440.0);
    }
    for name in [
        ".hidden/x.wav",
        "__MACOSX/x.wav",
        "a/.AppleDouble/x.wav",
        "a/._1.wav",
    ] {
        wav(&at(name), 0.5, 440.0);
    }
    fs::write(at("5.wma"), b"\x30\x26\xb2\x75\x8e\x66\xcf\x11").unwrap();
    fs::write(at("6.vqf"), b"no magic that is known here").unwrap();
    for name in ["cover.jpg", "a/back.JPG", "notes.txt", "README"] {
        fs::write(at(name), b"?").unwrap();
    }
    let out = at("a/../table.csv");
    let done = classify(&[text(folder.path()), "--out", text(&out), "--sorted"]);
    assert_eq!(done.status.code(), Some(1), "{}", stderr(&done));
    let found = rows(&out);
    let of = |status: &str| found.iter().filter(|(_, s, _)| s == status).count();
    assert_eq!(
        (of("ok"), of("failed"), found.len()),
        (4, 2, 6),
        "{found:?}"
    );
    let failed = found.iter().filter(|(_, status, _)| status == "failed");
    assert!(
        failed
            .into_iter()
            .all(|(_, _, reason)| reason == "unsupported")
    );
    let said = stderr(&done);
    // The table and its journal lie in the folder, too.
    assert!(said.contains("files that are not audio"), "{said}");
    assert!(
        said.contains("2 .jpg") && said.contains("1 without extension"),
        "{said}"
    );
    assert!(said.contains("4 hidden files and folders"), "{said}");

    let all = classify(&[text(folder.path()), "--hidden", "--format", "csv"]);
    let lines = String::from_utf8(all.stdout).unwrap();
    assert_eq!(lines.lines().count(), 1 + 10, "{lines}");
    // What is named is taken, hidden or not.
    let one = classify(&[text(&at("a/._1.wav")), "--format", "csv"]);
    assert!(one.status.success(), "{}", stderr(&one));
}

#[cfg(unix)]
#[test]
fn names_that_are_not_text_come_back_from_every_table() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;

    let folder = TempDir::new().unwrap();
    let music = folder.path().join("music");
    fs::create_dir(&music).unwrap();
    let names: [&[u8]; 3] = [b"caf\xe9.wav", b"bytes:x.wav", "grün \\xff.wav".as_bytes()];
    let mut want: Vec<PathBuf> = names.map(|name| music.join(OsStr::from_bytes(name))).into();
    for path in &want {
        wav(path, 0.5, 440.0);
    }
    want.sort();
    for ending in ["csv", "jsonl"] {
        let out = folder.path().join(format!("table.{ending}"));
        let timeline = folder.path().join(format!("clips.{ending}"));
        let arguments = [
            text(&music),
            "--out",
            text(&out),
            "--timeline",
            text(&timeline),
        ];
        let done = classify(&arguments);
        assert!(done.status.success(), "{}", stderr(&done));
        for table in [&out, &timeline] {
            let content = fs::read_to_string(table).unwrap();
            let mut paths: Vec<PathBuf> = match ending {
                "csv" => csv::Reader::from_reader(content.as_bytes())
                    .records()
                    .map(|row| path_of_text(&row.unwrap()[0]).unwrap())
                    .collect(),
                _ => content
                    .lines()
                    .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap())
                    .map(|row| path_of_text(row["path"].as_str().unwrap()).unwrap())
                    .collect(),
            };
            paths.sort();
            assert_eq!(paths, want, "{ending}");
        }
        // The journal knows them too: nothing is left to do.
        let again = classify(&arguments);
        assert!(
            stderr(&again).contains("3 files are done already"),
            "{}",
            stderr(&again)
        );
    }
}

#[test]
fn lists_have_marks_encodings_and_comments() {
    let folder = TempDir::new().unwrap();
    let at = |name: &str| folder.path().join(name);
    fs::create_dir(at("music")).unwrap();
    wav(&at("music/ä b.wav"), 0.5, 440.0);
    wav(&at("music/#c.wav"), 0.5, 440.0);
    let root = text(folder.path());
    let plain = format!("\u{feff}{root}/music/ä b.wav\r\n\r\n{root}/music/#c.wav\r\n");
    let wide: Vec<u8> = plain.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let playlist = format!("#EXTM3U\n#EXTINF:1,a\nmusic/ä b.wav\nfile://{root}/music/%23c.wav\n");
    for (name, list) in [
        ("plain.txt", plain.into_bytes()),
        ("wide.txt", wide),
        ("list.m3u8", playlist.into_bytes()),
    ] {
        fs::write(at(name), list).unwrap();
        let done = classify(&["--files-from", text(&at(name)), "--format", "csv"]);
        assert!(done.status.success(), "{name}: {}", stderr(&done));
        let table = String::from_utf8(done.stdout).unwrap();
        assert_eq!(table.lines().count(), 3, "{name}: {table}");
    }
}

/// A network is as sure of nothing as of music, so it is not asked.
#[test]
fn too_little_sound_gets_no_genre() {
    let folder = TempDir::new().unwrap();
    let spec = |channels| hound::WavSpec {
        channels,
        sample_rate: 22_050,
        bits_per_sample: 16,
        sample_format: hound::SampleFormat::Int,
    };
    let write = |name: &str, channels, samples: &[i16]| {
        let path = folder.path().join(name);
        let mut file = hound::WavWriter::create(path, spec(channels)).unwrap();
        samples.iter().for_each(|&x| file.write_sample(x).unwrap());
        file.finalize().unwrap();
    };
    let tone: Vec<i16> = (0..22_050)
        .map(|i| (10_000.0 * (f64::from(i) * 0.1).sin()) as i16)
        .collect();
    write("one.wav", 1, &tone[20..21]);
    write("short.wav", 1, &tone[..2000]);
    write("constant.wav", 1, &vec![12_000; 22_050]);
    let opposite: Vec<i16> = tone.iter().flat_map(|&x| [x, -x]).collect();
    write("opposite.wav", 2, &opposite);
    // As a codec leaves it: the mean is 60 dB below the channels.
    let nearly = |&x: &i16| [x, -(f64::from(x) * 0.998) as i16];
    let nearly: Vec<i16> = tone.iter().flat_map(nearly).collect();
    write("nearly.wav", 2, &nearly);
    write("tone.wav", 1, &tone);
    let out = folder.path().join("table.csv");
    let done = classify(&[text(folder.path()), "--out", text(&out), "--sorted"]);
    let found: Vec<_> = rows(&out)
        .into_iter()
        .map(|(path, status, reason)| {
            let name = Path::new(&path).file_name().unwrap().to_string_lossy();
            format!("{name} {status} {reason}")
        })
        .collect();
    let want = [
        "constant.wav failed silent",
        "nearly.wav failed cancelled",
        "one.wav failed too_short",
        "opposite.wav failed cancelled",
        "short.wav failed too_short",
        "tone.wav ok ",
    ];
    assert_eq!(found, want);
    assert!(stderr(&done).contains("cancel each other out"));
}

/// The table of columns in the documentation is that of every format.
#[test]
fn tables_have_the_documented_columns() {
    let folder = TempDir::new().unwrap();
    let music = folder.path().join("music");
    fs::create_dir(&music).unwrap();
    wav(&music.join("ok.wav"), 0.5, 440.0);
    fs::write(music.join("bad.wav"), b"RIFF").unwrap();
    let usage = fs::read_to_string(data("../docs/USAGE.md")).unwrap();
    let start = usage.find("| column | |").expect("the table of columns");
    let documented: Vec<&str> = usage[start..]
        .lines()
        .skip(2)
        .take_while(|line| line.starts_with('|'))
        .filter_map(|line| line.split('|').nth(1))
        .flat_map(|names| names.split('`').skip(1).step_by(2))
        .collect();
    let is_documented = |name: &str| documented.contains(&name) || name.starts_with("p_");
    let columns = |ending: &str| -> Vec<String> {
        let out = folder.path().join(format!("t.{ending}"));
        let done = classify(&[text(&music), "--out", text(&out), "--sorted"]);
        assert_eq!(done.status.code(), Some(1), "{}", stderr(&done));
        match ending {
            "csv" => {
                let mut table = csv::Reader::from_path(&out).unwrap();
                table.headers().unwrap().iter().map(str::to_owned).collect()
            }
            "jsonl" => {
                let lines = fs::read_to_string(&out).unwrap();
                let keys = |line: &str| -> Vec<String> {
                    let quoted = line
                        .split("\":")
                        .map(|part| part.rsplit('"').next().unwrap());
                    let mut keys: Vec<_> = quoted.map(str::to_owned).collect();
                    keys.pop();
                    keys
                };
                let all: Vec<_> = lines.lines().map(keys).collect();
                assert_eq!(all[0], all[1], "failed and ok rows");
                all[0].clone()
            }
            _ => {
                use parquet::file::reader::{FileReader, SerializedFileReader};
                let file = fs::File::open(&out).unwrap();
                let reader = SerializedFileReader::new(file).unwrap();
                let schema = reader.metadata().file_metadata().schema_descr();
                let fields = schema.root_schema().get_fields().iter();
                fields.map(|field| field.name().to_owned()).collect()
            }
        }
    };
    let csv = columns("csv");
    assert_eq!(csv, columns("jsonl"));
    assert_eq!(csv, columns("parquet"));
    for name in &csv {
        assert!(is_documented(name), "{name} is not in docs/USAGE.md");
    }
}
