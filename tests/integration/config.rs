//! Promise: an option means the same by command line, environment and configuration file, and
//! `config show` says which values hold. Generated pages and scripts, and JSON for programs, are of
//! every command.

use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

use crate::support::{data, rendered};

/// The program without the configuration of the machine that tests it.
fn command(arguments: &[&str], variables: &[(&str, &str)]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sonoprint"));
    for (name, _) in std::env::vars_os() {
        if name
            .to_str()
            .is_some_and(|name| name.starts_with("SONOPRINT_"))
        {
            command.env_remove(name);
        }
    }
    command.env("XDG_CONFIG_HOME", "/nonexistent/config");
    command.args(arguments).envs(variables.iter().copied());
    command
}

fn sonoprint(arguments: &[&str], variables: &[(&str, &str)]) -> Output {
    command(arguments, variables).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// Runs a command that must succeed, and returns its stdout.
fn stdout(arguments: &[&str], variables: &[(&str, &str)]) -> String {
    let out = sonoprint(arguments, variables);
    assert_eq!(
        out.status.code(),
        Some(0),
        "{arguments:?}: {}",
        text(&out.stderr)
    );
    text(&out.stdout)
}

/// Returns what `config show` prints, without its comments.
fn shown(arguments: &[&str], variables: &[(&str, &str)]) -> toml::Table {
    let arguments = [&["config", "show"], arguments].concat();
    stdout(&arguments, variables).parse().unwrap()
}

/// The same rows come by each route, and other rows without any.
#[test]
fn a_run_is_the_same_by_each_route() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("options.toml");
    let model = rendered();
    let options =
        format!("device = 'cpu'\n[classify]\nmodel = '{model}'\ntop = 4\nformat = 'jsonl'\n");
    std::fs::write(&file, options).unwrap();
    let clip = data("clips/jazz/jazz.00014.flac");
    let clip = clip.to_str().unwrap();
    let flags = [
        "--device", "cpu", "--model", &model, "--top", "4", "--format", "jsonl",
    ];
    let by_flags = stdout(&[&["classify", clip], &flags[..]].concat(), &[]);
    let variables = [
        ("SONOPRINT_DEVICE", "cpu"),
        ("SONOPRINT_MODEL", &*model),
        ("SONOPRINT_CLASSIFY_TOP", "4"),
        ("SONOPRINT_FORMAT", "jsonl"),
    ];
    assert!(by_flags.contains("genre_4"), "{by_flags}");
    assert_eq!(stdout(&["classify", clip], &variables), by_flags);
    let file = file.to_str().unwrap();
    assert_eq!(stdout(&["classify", clip, "--config", file], &[]), by_flags);
    assert_eq!(stdout(&["--config", file, "classify", clip], &[]), by_flags);
    let by_variable = stdout(&["classify", clip], &[("SONOPRINT_CONFIG", file)]);
    assert_eq!(by_variable, by_flags);
    // The user's own word still wins.
    let two = stdout(
        &["classify", clip, "--top", "2"],
        &[("SONOPRINT_CONFIG", file)],
    );
    assert!(two.contains("genre_2") && !two.contains("genre_3"), "{two}");
}

/// The usual file is read if it is there, and `config path` names it.
#[test]
#[cfg(target_os = "linux")]
fn the_usual_file_is_found() {
    let folder = tempfile::tempdir().unwrap();
    let home = folder.path().to_str().unwrap();
    let variables = [("XDG_CONFIG_HOME", home)];
    let out = sonoprint(&["config", "path"], &variables);
    let path = format!("{home}/sonoprint/config.toml");
    assert_eq!(text(&out.stdout), format!("{path}\n"));
    assert_eq!(text(&out.stderr), "there is no such file yet\n");
    let top = |more: &[&str]| {
        shown(&[&["classify"], more].concat(), &variables)["classify"]
            .get("top")
            .cloned()
    };
    assert_eq!(top(&[]), None);
    std::fs::create_dir(folder.path().join("sonoprint")).unwrap();
    std::fs::write(&path, "[classify]\ntop = 3\n").unwrap();
    assert_eq!(top(&[]), Some(3.into()));
    assert_eq!(top(&["--no-config"]), None);
    let out = sonoprint(&["config", "path"], &variables);
    assert_eq!(
        (text(&out.stdout), text(&out.stderr)),
        (format!("{path}\n"), String::new())
    );
    let off = [variables[0], ("SONOPRINT_NO_CONFIG", "1")];
    assert!(
        !shown(&["classify"], &off)["classify"]
            .as_table()
            .unwrap()
            .contains_key("top")
    );
}

/// `config show` gives every value with its source, and the same again as a file.
#[test]
fn what_is_shown_is_a_file_that_gives_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("options.toml");
    std::fs::write(&file, "clip_seconds = 3\n[bench]\nonly = ['a\"b', 'c']\n").unwrap();
    let file = file.to_str().unwrap();
    let variables = [("SONOPRINT_HIDDEN", "1"), ("SONOPRINT_TRAIN_LR", "1e-4")];
    let all = stdout(&["config", "show", "--config", file], &variables);
    let line = |begin: &str| {
        let line = all.lines().find(|line| line.starts_with(begin));
        line.unwrap_or_else(|| panic!("no {begin} in\n{all}"))
            .split_whitespace()
            .collect::<Vec<_>>()
            .join(" ")
    };
    assert_eq!(line("lr "), "lr = 1e-4 # environment SONOPRINT_TRAIN_LR");
    assert_eq!(
        line("hidden "),
        "hidden = true # environment SONOPRINT_HIDDEN"
    );
    assert_eq!(
        line("clip-seconds "),
        format!("clip-seconds = 3 # file {file}:1, clip-seconds")
    );
    assert_eq!(line("device "), "device = \"auto\" # default");
    assert_eq!(line("# min-confidence "), "# min-confidence = # not set");
    assert!(
        line("only ").starts_with("only = ['a\"b', \"c\"] # file"),
        "{}",
        line("only ")
    );

    let again = folder.path().join("again.toml");
    std::fs::write(&again, &all).unwrap();
    let again = again.to_str().unwrap();
    let values: toml::Table = all.parse().unwrap();
    assert_eq!(shown(&["--config", again], &[]), values);
    // Values that are the default exclude nothing: `train` takes the file.
    let out = sonoprint(
        &[
            "train",
            "/nonexistent",
            "--out",
            "x",
            "--folds",
            "3",
            "--config",
            again,
        ],
        &[],
    );
    assert_eq!(out.status.code(), Some(2));
    let one = shown(&["dataset", "check"], &variables);
    assert_eq!(one["dataset"]["check"]["hidden"], true.into());
    assert_eq!(one.len(), 1);
    assert!(
        shown(&["model.show"], &[])["model"]
            .as_table()
            .unwrap()
            .len()
            == 1
    );
}

#[test]
fn what_is_wrong_is_said_with_its_source() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("options.toml");
    let file = file.to_str().unwrap();
    let refused = |arguments: &[&str], variables: &[(&str, &str)]| {
        let out = sonoprint(arguments, variables);
        assert_eq!(out.status.code(), Some(2), "{arguments:?}");
        text(&out.stderr)
    };
    let by_file = |text: &str| {
        std::fs::write(file, text).unwrap();
        refused(&["merge", "x", "--out", "y", "--config", file], &[])
    };
    assert_eq!(
        by_file("[merge]\ntopp = 3\n"),
        format!(
            "error: {file}:2: unknown key topp: `merge` does not have an option of this name; did you mean top?\n"
        )
    );
    assert_eq!(
        by_file("top = 'many'\n"),
        format!(
            "error: invalid value 'many' for '--top <N>': invalid digit found in string\n  from file {file}:1, top\n"
        )
    );
    let text = refused(&["merge", "x", "--out", "y"], &[("SONOPRINT_TOP", "0")]);
    assert!(text.starts_with("error: invalid value '0' for '--top <N>': 0 is not in 1..=65535\n  from environment SONOPRINT_TOP"), "{text}");
    let text = refused(&["config", "show", "--config", "/nonexistent/x.toml"], &[]);
    assert!(
        text.contains("cannot read the configuration file /nonexistent/x.toml"),
        "{text}"
    );
    let text = refused(&["config", "show", "clasify"], &[]);
    assert!(
        text.contains("there is no command clasify; did you mean classify?"),
        "{text}"
    );
    // A variable of no option is no error.
    let out = sonoprint(
        &["config", "show", "merge"],
        &[("SONOPRINT_MERGE_TOPP", "3")],
    );
    assert_eq!(out.status.code(), Some(0));
    let note = "the environment variable SONOPRINT_MERGE_TOPP is of no option; did you mean SONOPRINT_MERGE_TOP?\n";
    assert_eq!(String::from_utf8(out.stderr).unwrap(), note);
}

/// Each shell's script knows every command, and bash and zsh's are sound.
#[test]
fn completions_have_every_command() {
    let folder = tempfile::tempdir().unwrap();
    for shell in ["bash", "zsh", "fish", "powershell"] {
        let script = stdout(&["generate", shell], &[]);
        for word in [
            "classify",
            "min-confidence",
            "no-config",
            "hidden",
            "generate",
        ] {
            assert!(script.contains(word), "{shell}: no {word}");
        }
        let path = folder.path().join(shell);
        std::fs::write(&path, &script).unwrap();
        if shell == "bash" {
            let out = Command::new("bash").arg("-n").arg(&path).output().unwrap();
            assert!(out.status.success(), "{}", text(&out.stderr));
            assert_eq!(
                completed(&path, &["classify", "--device", ""]),
                ["auto", "gpu", "cpu", "software"]
            );
            assert_eq!(
                completed(&path, &["classify", "--model", "genr"]),
                ["genres10"]
            );
            assert_eq!(completed(&path, &["dataset", "ch"]), ["check"]);
            assert!(completed(&path, &["train", "--in"]).contains(&"--init".to_owned()));
        }
    }
}

/// Returns what bash offers for the last of `words`.
fn completed(script: &Path, words: &[&str]) -> Vec<String> {
    let quoted: Vec<_> = words.iter().map(|word| format!("'{word}'")).collect();
    let call = format!(
        "source {}; COMP_WORDS=(sonoprint {}); COMP_CWORD={}; _sonoprint sonoprint \"${{COMP_WORDS[COMP_CWORD]}}\" \
         \"${{COMP_WORDS[COMP_CWORD-1]}}\"; printf '%s\\n' \"${{COMPREPLY[@]}}\"",
        script.display(),
        quoted.join(" "),
        words.len()
    );
    let out = Command::new("bash").args(["-c", &call]).output().unwrap();
    text(&out.stdout).lines().map(str::to_owned).collect()
}

#[test]
fn man_pages_are_of_every_command_and_spare_other_files() {
    let folder = tempfile::tempdir().unwrap();
    let man = folder.path().join("man1");
    let out = man.to_str().unwrap();
    let write = ["generate", "man", "--out", out];
    stdout(&write, &[]);
    // Pages are replaced by those of the same command.
    stdout(&write, &[]);
    let page = |name: &str| std::fs::read_to_string(man.join(name)).unwrap();
    let names = [
        "sonoprint.1",
        "sonoprint-classify.1",
        "sonoprint-dataset.1",
        "sonoprint-dataset-check.1",
        "sonoprint-model-show.1",
        "sonoprint-config-show.1",
        "sonoprint-generate-man.1",
    ];
    for name in names {
        let text = page(name);
        for section in ["NAME", "SYNOPSIS", "DESCRIPTION", "OPTIONS"] {
            assert!(
                text.contains(&format!("\n.SH {section}\n")),
                "{name}: {section}"
            );
        }
        let title = name.trim_end_matches(".1");
        assert!(
            text.contains(&format!("\n.TH {title} 1 ")),
            "{name}: {text}"
        );
    }
    assert_eq!(
        stdout(&["generate", "man", "dataset", "check"], &[]),
        page("sonoprint-dataset-check.1")
    );
    assert_eq!(stdout(&["generate", "man"], &[]), page("sonoprint.1"));
    assert!(page("sonoprint-classify.1").contains("min\\-confidence"));
    std::fs::write(man.join("sonoprint.1"), ".TH someone else's").unwrap();
    let refused = sonoprint(&write, &[]);
    assert_eq!(refused.status.code(), Some(2));
    assert!(text(&refused.stderr).contains("not a man page that sonoprint wrote"));
}

/// Devices and built-in models are listed for programs, with the version of the layout.
#[test]
fn lists_for_programs_have_a_version() {
    let json =
        |arguments: &[&str]| -> Value { serde_json::from_str(&stdout(arguments, &[])).unwrap() };
    let keys = |value: &Value| -> Vec<String> {
        let mut keys: Vec<_> = value.as_object().unwrap().keys().cloned().collect();
        keys.sort();
        keys
    };
    let devices = json(&["devices", "--json"]);
    assert_eq!(keys(&devices), ["auto", "devices", "version"]);
    assert_eq!(devices["version"], 1);
    assert_eq!(keys(&devices["auto"]), ["device", "name", "why"]);
    let all = devices["devices"].as_array().unwrap();
    let of_kind = |kind: &str| all.iter().find(|device| device["kind"] == kind).unwrap();
    assert_eq!(
        keys(of_kind("cpu")),
        ["convolutions", "device", "f16", "kind", "name", "threads"]
    );
    // The tests need a software adapter.
    let software = of_kind("software");
    assert_eq!(
        keys(software),
        [
            "backend",
            "convolutions",
            "device",
            "device_id",
            "driver",
            "driver_info",
            "f16",
            "index",
            "kind",
            "limits",
            "name",
            "pci_bus_id",
            "subgroup_size",
            "timestamps",
            "type",
            "vendor_id"
        ]
    );
    assert_eq!(
        keys(&software["limits"]),
        [
            "max_buffer_size",
            "max_compute_invocations_per_workgroup",
            "max_compute_workgroup_storage_size",
            "max_compute_workgroups_per_dimension",
            "max_storage_buffer_binding_size"
        ]
    );
    assert_eq!(keys(&software["convolutions"]), ["about", "ours"]);
    assert!(software["limits"]["max_buffer_size"].as_u64() > Some(1 << 20));
    // What `auto` takes is one of the list, and what the lines for people mark.
    let taken = devices["auto"]["device"].as_str().unwrap();
    assert_eq!(
        all.iter()
            .filter(|device| device["device"] == taken)
            .count(),
        1
    );
    let lines = stdout(&["devices"], &[]);
    let marked = lines.lines().find(|line| line.starts_with('*')).unwrap();
    assert_eq!(marked.split_whitespace().nth(1), Some(taken));
    assert!(lines.contains(devices["auto"]["why"].as_str().unwrap()));

    let models = json(&["model", "list", "--json"]);
    assert_eq!(keys(&models), ["models", "version"]);
    assert_eq!(models["version"], 1);
    for model in models["models"].as_array().unwrap() {
        assert_eq!(
            keys(model),
            [
                "about",
                "bytes",
                "classes",
                "default",
                "front_end",
                "license",
                "name",
                "task"
            ]
        );
    }
}
