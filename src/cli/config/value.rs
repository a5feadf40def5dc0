//! The value of an option: from a file or a variable to the words of a command line.

use std::any::TypeId;
use std::ffi::{OsStr, OsString};

use clap::builder::{PossibleValuesParser, ValueParser};
use clap::{Arg, ArgAction, Command, value_parser};

/// A value as a file or a variable has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Given {
    /// A text, or a number as it is written.
    Text(OsString),
    /// TOML's true or false.
    Boolean(bool),
    /// TOML's array of texts and numbers.
    List(Vec<OsString>),
}

/// A value that clap accepts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// Whether a flag is there that takes no value, or none here.
    Flag(bool),
    /// How many times a flag is there.
    Count(u8),
    /// One value, or several of an option that can be repeated.
    Texts(Vec<OsString>),
}

/// What an option takes.
enum Kind {
    Flag,
    Count,
    /// One value.
    One,
    /// One value, or none.
    Optional,
    /// Any number of values.
    Many,
}

fn kind(option: &Arg) -> Kind {
    match option.get_action() {
        ArgAction::SetTrue | ArgAction::SetFalse => Kind::Flag,
        ArgAction::Count => Kind::Count,
        ArgAction::Append => Kind::Many,
        _ if option.get_value_delimiter().is_some() => Kind::Many,
        _ => match option.get_num_args() {
            Some(count) if count.min_values() == 0 => Kind::Optional,
            _ => Kind::One,
        },
    }
}

impl Value {
    /// Returns the value of a variable: a list has commas.
    ///
    /// # Errors
    /// As [`Value::new`].
    pub fn of_variable(option: &Arg, text: &OsStr) -> Result<Self, String> {
        match (kind(option), text.to_str()) {
            (Kind::Many, Some(text)) => {
                let list = text.split(',').map(OsString::from).collect();
                Self::new(option, &Given::List(list))
            }
            _ => Self::new(option, &Given::Text(text.to_owned())),
        }
    }

    /// Checks a value as clap does on the command line.
    ///
    /// # Errors
    /// Clap's message.
    pub fn new(option: &Arg, given: &Given) -> Result<Self, String> {
        let of_option = || option.get_value_parser().clone();
        match (kind(option), given) {
            (Kind::Flag | Kind::Optional, Given::Boolean(on)) => Ok(Self::Flag(*on)),
            (Kind::Count, Given::Boolean(on)) => Ok(Self::Count((*on).into())),
            (Kind::Flag, Given::Text(text)) => {
                let booleans = PossibleValuesParser::new(["true", "false", "1", "0"]);
                check(option, booleans.into(), text)?;
                Ok(Self::Flag(text == "true" || text == "1"))
            }
            (Kind::Count, Given::Text(text)) => {
                check(option, value_parser!(u8).into(), text)?;
                let count = text.to_str().and_then(|text| text.parse().ok());
                Ok(Self::Count(count.unwrap_or_default()))
            }
            (Kind::One | Kind::Many, Given::Boolean(on)) if !takes_booleans(option) => {
                let name = display(option);
                Err(format!("invalid value {on} for {name}: it is no boolean"))
            }
            (Kind::One | Kind::Many, Given::Boolean(on)) => {
                Ok(Self::Texts(vec![on.to_string().into()]))
            }
            (Kind::One | Kind::Optional | Kind::Many, Given::Text(text)) => {
                check(option, of_option(), text)?;
                Ok(Self::Texts(vec![text.clone()]))
            }
            (Kind::Many, Given::List(list)) => {
                for text in list {
                    check(option, of_option(), text)?;
                }
                Ok(Self::Texts(list.clone()))
            }
            (_, Given::List(_)) => Err(format!("{} takes one value, not a list", display(option))),
        }
    }

    /// Returns the value that an option has if nobody gives one.
    pub fn default(option: &Arg) -> Option<Self> {
        let defaults = option.get_default_values();
        match kind(option) {
            Kind::Flag => Some(Self::Flag(false)),
            Kind::Count => Some(Self::Count(0)),
            _ if defaults.is_empty() => None,
            _ => Some(Self::Texts(defaults.iter().map(Into::into).collect())),
        }
    }

    /// Returns the words of a command line that stand for the value. The default needs none, and
    /// therefore excludes and needs no other option.
    pub fn words(&self, option: &Arg) -> Vec<OsString> {
        let name = format!("--{}", option.get_long().unwrap_or_default());
        if Self::default(option).as_ref() == Some(self) {
            return Vec::new();
        }
        match self {
            Self::Flag(on) => vec![name.into(); (*on).into()],
            Self::Count(count) => vec![name.into(); (*count).into()],
            Self::Texts(texts) => {
                let with_name = |text: &OsString| {
                    let mut word = OsString::from(format!("{name}="));
                    word.push(text);
                    word
                };
                texts.iter().map(with_name).collect()
            }
        }
    }

    /// Returns the value as TOML; `None` if it is not UTF-8, which TOML cannot hold.
    pub fn toml(&self, option: &Arg) -> Option<String> {
        let texts = match self {
            Self::Flag(on) => return Some(on.to_string()),
            Self::Count(count) => return Some(count.to_string()),
            Self::Texts(texts) => texts.iter().map(|text| text_as_toml(option, text)),
        };
        let texts: Vec<String> = texts.collect::<Option<_>>()?;
        match (kind(option), texts.as_slice()) {
            (Kind::Many, texts) => Some(format!("[{}]", texts.join(", "))),
            (_, [text]) => Some(text.clone()),
            _ => None,
        }
    }
}

/// Writes numbers of options that take numbers as numbers, and everything else as text.
fn text_as_toml(option: &Arg, text: &OsStr) -> Option<String> {
    let text = text.to_str()?;
    let is_number = || {
        let document = format!("x = {text}");
        let table: Option<toml::Table> = toml::from_str(&document).ok();
        let value = table.as_ref().and_then(|table| table.get("x"));
        value.is_some_and(|value| value.is_integer() || value.is_float())
    };
    match takes_numbers(option) && is_number() {
        true => Some(text.to_owned()),
        false => Some(toml::Value::from(text).to_string()),
    }
}

fn takes_numbers(option: &Arg) -> bool {
    macro_rules! any_of {
        ($($number:ty)+) => {
            [$(TypeId::of::<$number>()),+].iter().any(|id| takes(option, id))
        };
    }
    any_of!(u8 u16 u32 u64 usize i8 i16 i32 i64 isize f32 f64)
}

fn takes_booleans(option: &Arg) -> bool {
    takes(option, &TypeId::of::<bool>())
}

fn takes(option: &Arg, id: &TypeId) -> bool {
    option.get_value_parser().type_id() == *id
}

/// Lets clap parse one value, without the option's relations to others.
fn check(option: &Arg, parser: ValueParser, text: &OsStr) -> Result<(), String> {
    let long = option.get_long().unwrap_or_default().to_owned();
    let mut alone = Arg::new(option.get_id().clone())
        .long(long.clone())
        .value_parser(parser)
        .action(ArgAction::Set);
    if let Some(names) = option.get_value_names() {
        alone = alone.value_names(names.iter().cloned());
    }
    let mut word = OsString::from(format!("--{long}="));
    word.push(text);
    let command = Command::new("sonoprint")
        .no_binary_name(true)
        .disable_help_flag(true)
        .arg(alone);
    let parsed = command.try_get_matches_from([word]);
    parsed.map(drop).map_err(|error| plain(&error))
}

/// Returns clap's message without the word `error` and without advice to read the help.
pub fn plain(error: &clap::Error) -> String {
    let text = error.to_string();
    let text = text.strip_prefix("error: ").unwrap_or(&text);
    let text = text.split("\n\nFor more information").next();
    text.unwrap_or_default().trim_end().to_owned()
}

fn display(option: &Arg) -> String {
    format!("'--{}'", option.get_long().unwrap_or_default())
}
