use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::Path;

use clap::error::ErrorKind;
use clap::{Arg, Command};

use super::environment::Environment;
use super::error::ConfigError;
use super::file::ConfigFile;
use super::parse::{ParseError, Parsed, parse};
use super::routes::Routes;
use super::tree::{Leaf, names, variable};
use super::value::{Given, Value};

fn root() -> Command {
    crate::cli::commands()
}

fn environment(variables: &[(&str, &str)]) -> Environment {
    let variables = variables.iter();
    Environment::new(variables.map(|(name, value)| ((*name).to_owned(), OsString::from(value))))
}

/// Parses a command line with these variables and a file with this text.
fn parsed(words: &str, variables: &[(&str, &str)], file: &str) -> Result<Parsed, ParseError> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("config.toml");
    std::fs::write(&path, file).unwrap();
    let program = ["sonoprint", "--config", path.to_str().unwrap()];
    let words = program.into_iter().chain(words.split_whitespace());
    parse(
        &root(),
        words.map(Into::into).collect(),
        environment(variables),
    )
}

/// Returns the values of an option of the command that runs; none if it has only a default.
fn values(parsed: &Parsed, id: &str) -> Vec<String> {
    let mut at = &parsed.matches;
    while let Some((_, inner)) = at.subcommand() {
        at = inner;
    }
    let given = at.value_source(id) == Some(clap::parser::ValueSource::CommandLine);
    let raw = at.get_raw(id).filter(|_| given).into_iter().flatten();
    raw.map(|value| value.to_str().unwrap().to_owned())
        .collect()
}

fn refusal(words: &str, variables: &[(&str, &str)], file: &str) -> String {
    match parsed(words, variables, file).expect_err("an error") {
        ParseError::Usage(error) => panic!("only usage: {error}"),
        ParseError::Configured(text) => text,
        ParseError::Config(error) => error.to_string(),
    }
}

/// Returns a text that the option takes, and that is not its default.
fn sample(option: &Arg) -> String {
    let possible = option.get_possible_values();
    let possible = possible.iter().map(|value| value.get_name().to_owned());
    let usual = [
        "2",
        "0.5",
        "3",
        "2/3",
        "64x64",
        "mel",
        "multi-label",
        "valid",
        "some/file",
        "true",
    ];
    let mut all = possible.chain(usual.map(str::to_owned));
    let fits = |text: &String| {
        let value = Value::of_variable(option, text.as_ref()).ok();
        value.is_some() && value != Value::default(option)
    };
    all.find(fits)
        .unwrap_or_else(|| panic!("no sample for {:?}: add one", option.get_long()))
}

/// Every option of every command, by each name, is set by each variable and each table that is for
/// it, and clap takes the words that this gives.
#[test]
fn each_option_can_be_set_by_each_route() {
    let root = root();
    let leaves = Leaf::all(&root);
    let mut count = 0;
    for leaf in &leaves {
        for option in leaf.options() {
            let text = sample(option);
            let wanted = Value::of_variable(option, text.as_ref()).unwrap();
            for (name, scope) in names(option).flat_map(|n| leaf.scopes().map(move |s| (n, s))) {
                let variable = variable(scope, name);
                let routes = Routes {
                    environment: environment(&[(&variable, &text)]),
                    file: None,
                };
                let setting = routes.setting(leaf, option).unwrap().unwrap();
                assert_eq!(setting.value, wanted, "{variable}");
                assert!(routes.environment.unknown(&leaves).is_empty(), "{variable}");
                for name in [name.to_owned(), name.replace('-', "_")] {
                    let table = match scope {
                        [] => String::new(),
                        scope => format!("[{}]\n", scope.join(".")),
                    };
                    let file = format!("{table}{name} = '{text}'");
                    let read = ConfigFile::parse(Path::new("c.toml"), &file, &leaves);
                    let routes = Routes {
                        environment: Environment::default(),
                        file: Some(read.unwrap_or_else(|e| panic!("{file}: {e}"))),
                    };
                    let setting = routes.setting(leaf, option).unwrap().unwrap();
                    assert_eq!(setting.value, wanted, "{file}");
                }
            }
            let words = std::iter::once(OsString::from("sonoprint"))
                .chain(leaf.path.iter().map(Into::into))
                .chain(wanted.words(option));
            let words: Vec<_> = words.collect();
            if let Err(error) = root.clone().try_get_matches_from(&words) {
                assert_eq!(
                    error.kind(),
                    ErrorKind::MissingRequiredArgument,
                    "{words:?}: {error}"
                );
            }
            count += 1;
        }
    }
    assert!(count > 60, "the options were found: {count}");
}

/// No variable is that of two options, and no option is called as a table beside it.
#[test]
fn names_are_those_of_one_option() {
    let root = root();
    let mut seen: BTreeMap<String, (Vec<&str>, &str)> = BTreeMap::new();
    let leaves = Leaf::all(&root);
    for leaf in &leaves {
        for name in leaf.options().flat_map(names) {
            for scope in leaf.scopes() {
                let this = (scope.to_vec(), name);
                let first = seen.entry(variable(scope, name)).or_insert(this.clone());
                assert_eq!(*first, this);
            }
        }
    }
    assert!(seen.contains_key("SONOPRINT_DEVICE"));
    assert!(seen.contains_key("SONOPRINT_DATASET_CHECK_HIDDEN"));
}

#[test]
fn the_command_line_comes_before_the_environment_and_that_before_the_file() {
    let file = "top = 3\nmodel = 'a'\n[classify]\ntop = 4\nbatch = 7\n";
    let narrow = [("SONOPRINT_TOP", "5"), ("SONOPRINT_CLASSIFY_TOP", "6")];
    let top = |words: &str, variables: &[(&str, &str)], file: &str| {
        values(&parsed(words, variables, file).unwrap(), "top")
    };
    assert_eq!(top("classify x --top 9", &narrow, file), ["9"]);
    assert_eq!(top("classify x", &narrow, file), ["6"]);
    assert_eq!(top("classify x", &narrow[..1], file), ["5"]);
    assert_eq!(top("classify x", &[("SONOPRINT_TOP", "")], file), ["4"]);
    assert_eq!(top("classify x", &[], "top = 3"), ["3"]);
    assert_eq!(top("merge x --out y", &narrow[1..], file), ["3"]);
    let all = parsed("classify x", &narrow, file).unwrap();
    assert_eq!(values(&all, "batch"), ["7"]);
    assert_eq!(values(&all, "model"), ["a"]);
    assert!(all.configured.contains("batch"));
    let none = parsed("classify --no-config x", &[], file).unwrap();
    assert!(none.configured.is_empty());
}

/// What the user gives excludes what the configuration has, and is never refused for it.
#[test]
fn the_users_own_words_win_over_what_excludes_them() {
    let file = "[train]\nfolds = 5\nnetwork = 'musicnn'\nsize = '9x9'\nepochs = 60\nlabels = 'tags'\n\
                [classify]\nfiles_from = 'list'\n[bench]\nonly = ['mel', 'stft']\n";
    let seeds = parsed("train music --out run --seeds 3 --init genres10", &[], file).unwrap();
    assert_eq!(values(&seeds, "seeds"), ["3"]);
    for excluded in ["folds", "network", "size"] {
        assert_eq!(values(&seeds, excluded), [""; 0], "{excluded}");
    }
    let resumed = parsed("train --resume run", &[("SONOPRINT_OUT", "x")], file).unwrap();
    assert_eq!(values(&resumed, "out"), [""; 0]);
    assert_eq!(resumed.configured.iter().collect::<Vec<_>>(), ["epochs"]);
    let repeated = parsed("train --config run.toml --out new", &[], file).unwrap();
    assert!(repeated.configured.is_empty(), "{:?}", repeated.configured);

    let named = parsed("classify song.mp3", &[], file).unwrap();
    assert_eq!(values(&named, "files_from"), [""; 0]);
    assert_eq!(
        values(&parsed("classify", &[], file).unwrap(), "files_from"),
        ["list"]
    );
    assert_eq!(
        values(&parsed("bench", &[], file).unwrap(), "only"),
        ["mel", "stft"]
    );
    assert_eq!(
        values(&parsed("bench --only x", &[], file).unwrap(), "only"),
        ["x"]
    );
    // A stronger route excludes the file, too.
    let seeds = parsed(
        "train music --out run",
        &[("SONOPRINT_TRAIN_SEEDS", "3")],
        file,
    )
    .unwrap();
    assert_eq!(
        (values(&seeds, "seeds"), values(&seeds, "folds")),
        (vec!["3".into()], vec![])
    );
}

#[test]
fn options_of_one_file_that_exclude_each_other_are_refused_with_their_lines() {
    let text = refusal(
        "train music --out run",
        &[],
        "[train]\nseeds = 3\n\nfolds = 5\n",
    );
    for part in [
        "cannot be used with",
        "config.toml:2, train.seeds",
        "config.toml:4, train.folds",
    ] {
        assert!(text.contains(part), "{text}");
    }
    // Values that are the default say nothing, and exclude nothing.
    parsed(
        "train music --out run",
        &[],
        "[train]\nseeds = 1\nfolds = 5\n",
    )
    .unwrap();
}

#[test]
fn required_options_may_come_from_the_configuration() {
    let out = "[train]\nout = 'run'\nmin_files = 9\nlabels = 'tags'\n";
    let all = parsed("train music", &[], out).unwrap();
    assert_eq!(values(&all, "out"), ["run"]);
    assert_eq!(values(&all, "min_files"), ["9"]);
    assert!(all.notes.is_empty());
    let Err(ParseError::Usage(error)) = parsed("train music", &[], "top = 3") else {
        panic!("--out is missing");
    };
    assert_eq!(error.kind(), ErrorKind::MissingRequiredArgument);
}

/// An option that means nothing without another one is left out, and that is said.
#[test]
fn options_that_need_others_wait_for_them() {
    let file = "[classify]\nsorted = true\n";
    let without = parsed("classify x", &[], file).unwrap();
    assert_eq!(values(&without, "sorted"), [""; 0]);
    let [note] = &without.notes[..] else {
        panic!("{:?}", without.notes)
    };
    assert!(
        note.starts_with("left out --sorted, which needs --out <FILE> (from file"),
        "{note}"
    );
    assert_eq!(
        values(&parsed("classify x --out y", &[], file).unwrap(), "sorted").len(),
        1
    );
    let out = [("SONOPRINT_OUT", "y")];
    assert_eq!(
        values(&parsed("classify x", &out, file).unwrap(), "sorted").len(),
        1
    );
}

#[test]
fn booleans_and_lists_are_read() {
    let hidden = |variables: &[(&str, &str)], file: &str| {
        parsed("classify x", variables, file)
            .map(|p| p.configured.contains("hidden"))
            .unwrap()
    };
    for (text, wanted) in [("true", true), ("1", true), ("false", false), ("0", false)] {
        assert_eq!(hidden(&[("SONOPRINT_HIDDEN", text)], ""), wanted);
        assert_eq!(hidden(&[], &format!("hidden = {text}")), wanted);
        // The environment turns off what the file turns on.
        assert_eq!(
            hidden(&[("SONOPRINT_HIDDEN", text)], "hidden = true"),
            wanted
        );
    }
    let text = refusal("classify x", &[("SONOPRINT_HIDDEN", "maybe")], "");
    assert!(
        text.contains("'maybe' for '--hidden") && text.contains("true, false"),
        "{text}"
    );
    assert!(
        text.ends_with("from environment SONOPRINT_HIDDEN"),
        "{text}"
    );

    let only = [("SONOPRINT_BENCH_ONLY", "mel,conv")];
    assert_eq!(
        values(&parsed("bench", &only, "").unwrap(), "only"),
        ["mel", "conv"]
    );
    let text = refusal("classify x", &[], "top = [1, 2]");
    assert!(
        text.contains("'--top' takes one value, not a list"),
        "{text}"
    );
    let text = refusal("classify x", &[], "model = true");
    assert!(text.contains("invalid value true for '--model'"), "{text}");
}

#[test]
fn bad_values_are_refused_in_claps_words_with_their_source() {
    let text = refusal("classify x", &[], "\n[classify]\nmin_confidence = 2\n");
    let begin = "invalid value '2' for '--min-confidence <P>': must be from 0 to 1\n  from file ";
    assert!(text.starts_with(begin), "{text}");
    assert!(
        text.ends_with("config.toml:3, classify.min-confidence"),
        "{text}"
    );
    let text = refusal("classify x", &[("SONOPRINT_FORMAT", "cvs")], "");
    assert!(
        text.contains("possible values: csv") && text.contains("SONOPRINT_FORMAT"),
        "{text}"
    );
    // Nothing but the command that runs is looked at.
    parsed("evaluate x --out y", &[], "[classify]\ntop = 'x'\n").unwrap();
}

#[test]
fn unknown_keys_are_refused_with_their_line_and_the_nearest_name() {
    for (file, wanted) in [
        (
            "devise = 'cpu'",
            ":1: unknown key devise: no command has an option of this name; did you mean device?",
        ),
        (
            "[classify]\n\nmin_confidense = 1",
            ":3: unknown key min-confidense: `classify` does not have an option of this name; did you mean min-confidence?",
        ),
        (
            "[dataset.check]\nmixup = 1",
            ":2: unknown key mixup: `dataset check` does not have an option of this name",
        ),
        (
            "[clasify]\ntop = 1",
            ":1: unknown table [clasify]: it is no command; did you mean classify?",
        ),
        (
            "[dataset.chek]\n",
            ":1: unknown table [dataset.chek]: it is no command; did you mean check?",
        ),
        (
            "plain = true",
            ":1: unknown key plain: no command has an option of this name",
        ),
        (
            "config = 'x'",
            ":1: unknown key config: no command has an option of this name",
        ),
        (
            "model = 'a'\ncheckpoint = 'b'",
            ":2: checkpoint is the option of line 1 again",
        ),
        (
            "[train]\nmin-files = 1\nmin_files = 2",
            ":3: train.min-files is the option of line 2 again",
        ),
        (
            "top = 2026-01-01",
            ":1: datetime is no value of an option: write a text or a number",
        ),
        ("top = 1\n\ntop 3", ":3: "),
    ] {
        let text = refusal("classify x", &[], file);
        let text = text.split_once("config.toml").expect("the file").1;
        assert!(text.starts_with(wanted), "{file}: {text}");
    }
}

/// The option --model and the command `model` share their name: the alias serves beside the table.
#[test]
fn a_table_and_an_option_of_one_name_are_told_apart() {
    let by_table = "checkpoint = 'a'\n[model.export]\nmodel = 'b'\n[model]\njson = true\n";
    assert_eq!(
        values(&parsed("classify x", &[], by_table).unwrap(), "model"),
        ["a"]
    );
    assert_eq!(
        values(
            &parsed("model export --out x", &[], by_table).unwrap(),
            "model"
        ),
        ["b"]
    );
    assert_eq!(
        values(&parsed("model list", &[], by_table).unwrap(), "json").len(),
        1
    );
    assert_eq!(
        values(&parsed("classify x", &[], "model = 'a'").unwrap(), "model"),
        ["a"]
    );
}

#[test]
fn variables_of_no_option_are_said() {
    let variables = [
        ("SONOPRINT_DEVISE", "cpu"),
        ("SONOPRINT_CONFIG", "x"),
        ("SONOPRINT", "y"),
    ];
    let notes = parsed("classify x", &variables, "").unwrap().notes;
    assert_eq!(
        notes,
        [
            "the environment variable SONOPRINT_DEVISE is of no option; did you mean SONOPRINT_DEVICE?"
        ]
    );
}

#[test]
fn help_and_wrong_words_need_no_configuration() {
    for words in [
        "classify --help",
        "--version",
        "help train",
        "classify --no-such-flag",
        "model",
    ] {
        let result = parsed(words, &[("SONOPRINT_TOP", "bad")], "no toml");
        assert!(
            matches!(result, Err(ParseError::Usage(_))),
            "{words}: {result:?}"
        );
    }
    let result = parsed("classify x", &[], "no toml");
    assert!(matches!(
        result,
        Err(ParseError::Config(ConfigError::File { .. }))
    ));
}

#[test]
fn values_may_look_like_flags_and_words_may_end_the_options() {
    let file = "out = '-x=y'\nmodel = ''\n";
    let Err(ParseError::Config(error)) = parsed("classify x", &[], "out = ''") else {
        panic!("an empty name");
    };
    assert!(error.to_string().contains("--out"), "{error}");
    let odd = parsed("classify -- --top", &[], file).unwrap();
    assert_eq!(values(&odd, "out"), ["-x=y"]);
    assert_eq!(values(&odd, "paths"), ["--top"]);
}

#[test]
fn numbers_are_taken_as_they_are_written() {
    let root = root();
    let leaves = Leaf::all(&root);
    let train = leaves.iter().find(|leaf| leaf.path == ["train"]).unwrap();
    let lr = train
        .options()
        .find(|option| option.get_long() == Some("lr"))
        .unwrap();
    for number in ["1e-3", "1_000.5", "0x10", "-7"] {
        let text = format!("lr = {number}");
        let file = ConfigFile::parse(Path::new("c"), &text, &leaves).unwrap();
        let Some((Given::Text(text), _)) = file.find(train, lr) else {
            panic!("{number}");
        };
        let number = number.replace('_', "").replace("0x10", "16");
        assert_eq!(text.to_str(), Some(&*number));
    }
}
