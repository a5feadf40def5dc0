//! Promise: the tables that `classify` writes have the documented columns, the same in every
//! format. A change of them fails here first.

use std::io::Write;
use std::path::PathBuf;

use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::schema::printer::print_schema;
use sonoprint::classify::{
    ClipPrediction, Content, FileResult, Format, Outcome, Prediction, Schema, Table,
};
use sonoprint::model::{DecisionRule, Task};

fn schema() -> Schema {
    Schema {
        classes: ["blues", "jazz", "rock"].map(str::to_owned).to_vec(),
        top: 2,
        model: "0123456789ab".into(),
        rule: Task::SingleLabel.into(),
    }
}

/// A schema of tags from 0.25 on.
fn tags() -> Schema {
    let rule = DecisionRule {
        threshold: Some(0.25),
        ..Task::MultiLabel.into()
    };
    Schema { rule, ..schema() }
}

/// `of` with labels only where a class has a probability of at least 0.7.
fn sure(of: Schema) -> Schema {
    let rule = DecisionRule {
        min_confidence: Some(0.7),
        ..of.rule
    };
    Schema { rule, ..of }
}

/// A good file of two clips, a damaged one that is shorter than a clip, and one that is not audio.
fn rows() -> [FileResult; 3] {
    let clip = |start, probabilities: [f32; 3]| ClipPrediction {
        start,
        end: start + 10.0,
        probabilities: probabilities.to_vec(),
    };
    let good = Prediction {
        probabilities: vec![0.125, 0.625, 0.25],
        seconds: 20.5,
        clips: 2,
        silent: 1,
        padded: false,
        damaged: None,
        embedding: vec![0.5, -1.5],
        timeline: vec![clip(0.0, [0.0, 1.0, 0.0]), clip(10.5, [0.25, 0.25, 0.5])],
    };
    let short = Prediction {
        probabilities: vec![0.0, 0.25, 0.75],
        seconds: 3.0,
        clips: 1,
        silent: 0,
        padded: true,
        damaged: Some("it breaks off".into()),
        embedding: vec![2.0, 3.0],
        timeline: vec![clip(0.0, [0.0, 0.25, 0.75])],
    };
    let failed = Outcome::Failed {
        reason: "empty".into(),
        message: "the file is empty, \"really\"".into(),
    };
    let row = |path: &str, outcome| FileResult {
        path: PathBuf::from(path),
        stamp: None,
        outcome,
    };
    [
        row("a/1.wav", Outcome::Ok(good)),
        row("a/2, short.mp3", Outcome::Ok(short)),
        row("b/3.flac", failed),
    ]
}

fn table(content: Content, format: Format, schema: Schema) -> Vec<u8> {
    let mut out = Vec::new();
    let mut table = Table::new(&mut out, content, format, schema).unwrap();
    for row in rows() {
        table.write(&row).unwrap();
    }
    table.finish().unwrap();
    out
}

fn text(content: Content, format: Format) -> String {
    text_of(content, format, schema())
}

fn text_of(content: Content, format: Format, schema: Schema) -> String {
    String::from_utf8(table(content, format, schema)).unwrap()
}

#[test]
fn csv() {
    assert_eq!(
        text(Content::Files, Format::Csv),
        "\
path,status,genre,confidence,genre_2,confidence_2,seconds,clips,silent,padded,reason,message,p_blues,p_jazz,p_rock,model
a/1.wav,ok,jazz,0.6250,rock,0.2500,20.50,2,1,false,,,0.1250,0.6250,0.2500,0123456789ab
\"a/2, short.mp3\",ok,rock,0.7500,jazz,0.2500,3.00,1,0,true,damaged,it breaks off,0.0000,0.2500,0.7500,0123456789ab
b/3.flac,failed,,,,,,,,,empty,\"the file is empty, \"\"really\"\"\",,,,0123456789ab
"
    );
    assert_eq!(
        text(Content::Clips, Format::Csv),
        "\
path,start,end,genre,confidence,p_blues,p_jazz,p_rock
a/1.wav,0.00,10.00,jazz,1.0000,0.0000,1.0000,0.0000
a/1.wav,10.50,20.50,rock,0.5000,0.2500,0.2500,0.5000
\"a/2, short.mp3\",0.00,10.00,rock,0.7500,0.0000,0.2500,0.7500
"
    );
}

#[test]
fn json_lines() {
    assert_eq!(
        text(Content::Files, Format::Jsonl),
        r#"{"path":"a/1.wav","status":"ok","genre":"jazz","confidence":0.625,"genre_2":"rock","confidence_2":0.25,"seconds":20.5,"clips":2,"silent":1,"padded":false,"reason":null,"message":null,"p_blues":0.125,"p_jazz":0.625,"p_rock":0.25,"model":"0123456789ab"}
{"path":"a/2, short.mp3","status":"ok","genre":"rock","confidence":0.75,"genre_2":"jazz","confidence_2":0.25,"seconds":3.0,"clips":1,"silent":0,"padded":true,"reason":"damaged","message":"it breaks off","p_blues":0.0,"p_jazz":0.25,"p_rock":0.75,"model":"0123456789ab"}
{"path":"b/3.flac","status":"failed","genre":null,"confidence":null,"genre_2":null,"confidence_2":null,"seconds":null,"clips":null,"silent":null,"padded":null,"reason":"empty","message":"the file is empty, \"really\"","p_blues":null,"p_jazz":null,"p_rock":null,"model":"0123456789ab"}
"#
    );
    assert_eq!(
        text(Content::Clips, Format::Jsonl).lines().next().unwrap(),
        r#"{"path":"a/1.wav","start":0.0,"end":10.0,"genre":"jazz","confidence":1.0,"p_blues":0.0,"p_jazz":1.0,"p_rock":0.0}"#
    );
    assert_eq!(
        text(Content::Embeddings, Format::Jsonl),
        "{\"path\":\"a/1.wav\",\"embedding\":[0.5,-1.5]}\n{\"path\":\"a/2, short.mp3\",\"embedding\":[2.0,3.0]}\n"
    );
}

/// Tags are a list, over the threshold and most probable first; the ranked columns do not depend on
/// it.
#[test]
fn csv_of_tags() {
    assert_eq!(
        text_of(Content::Files, Format::Csv, tags()),
        "\
path,status,tags,tag_1,score_1,tag_2,score_2,seconds,clips,silent,padded,reason,message,p_blues,p_jazz,p_rock,model
a/1.wav,ok,jazz; rock,jazz,0.6250,rock,0.2500,20.50,2,1,false,,,0.1250,0.6250,0.2500,0123456789ab
\"a/2, short.mp3\",ok,rock; jazz,rock,0.7500,jazz,0.2500,3.00,1,0,true,damaged,it breaks off,0.0000,0.2500,0.7500,0123456789ab
b/3.flac,failed,,,,,,,,,,empty,\"the file is empty, \"\"really\"\"\",,,,0123456789ab
"
    );
    assert_eq!(
        text_of(Content::Clips, Format::Csv, tags()),
        "\
path,start,end,tags,tag_1,score_1,tag_2,score_2,p_blues,p_jazz,p_rock
a/1.wav,0.00,10.00,jazz,jazz,1.0000,blues,0.0000,0.0000,1.0000,0.0000
a/1.wav,10.50,20.50,rock; blues; jazz,rock,0.5000,blues,0.2500,0.2500,0.2500,0.5000
\"a/2, short.mp3\",0.00,10.00,rock; jazz,rock,0.7500,jazz,0.2500,0.0000,0.2500,0.7500
"
    );
}

#[test]
fn json_lines_of_tags() {
    let lines = text_of(Content::Files, Format::Jsonl, sure(tags()));
    let starts = [
        r#"{"path":"a/1.wav","status":"unsure","tags":[],"tag_1":"jazz","score_1":0.625,"#,
        r#"{"path":"a/2, short.mp3","status":"ok","tags":["rock","jazz"],"tag_1":"rock","#,
        r#"{"path":"b/3.flac","status":"failed","tags":null,"tag_1":null,"score_1":null,"#,
    ];
    assert_eq!(lines.lines().count(), starts.len());
    for (line, start) in lines.lines().zip(starts) {
        assert!(line.starts_with(start), "{line}");
    }
}

#[test]
fn parquet_of_tags() {
    let (schema, rows) = parquet(Content::Files, sure(tags()));
    let list = "  OPTIONAL group tags (LIST) {
    REPEATED group list {
      REQUIRED BYTE_ARRAY element (STRING);
    }
  }
  OPTIONAL BYTE_ARRAY tag_1 (STRING);
  OPTIONAL FLOAT score_1;
";
    assert!(schema.contains(list), "{schema}");
    let tags = ["tags: []", r#"tags: ["rock", "jazz"]"#, "tags: null"];
    for (row, tags) in rows.iter().zip(tags) {
        assert!(row.contains(tags), "{row}");
    }
    assert_eq!(rows.len(), tags.len());
}

/// An unsure file has its confidences and probabilities, and no genre, in the table of files and of
/// clips.
#[test]
fn unsure_files_have_no_genre() {
    assert_eq!(
        text_of(Content::Files, Format::Csv, sure(schema())),
        "\
path,status,genre,confidence,genre_2,confidence_2,seconds,clips,silent,padded,reason,message,p_blues,p_jazz,p_rock,model
a/1.wav,unsure,,0.6250,,0.2500,20.50,2,1,false,,,0.1250,0.6250,0.2500,0123456789ab
\"a/2, short.mp3\",ok,rock,0.7500,jazz,0.2500,3.00,1,0,true,damaged,it breaks off,0.0000,0.2500,0.7500,0123456789ab
b/3.flac,failed,,,,,,,,,empty,\"the file is empty, \"\"really\"\"\",,,,0123456789ab
"
    );
    let clips = text_of(Content::Clips, Format::Csv, sure(schema()));
    let second = "a/1.wav,10.50,20.50,,0.5000,0.2500,0.2500,0.5000";
    assert_eq!(clips.lines().nth(2), Some(second));
    let json = text_of(Content::Files, Format::Jsonl, sure(schema()));
    let start = r#"{"path":"a/1.wav","status":"unsure","genre":null,"confidence":0.625,"#;
    assert!(json.starts_with(start), "{json}");
    let (_, rows) = parquet(Content::Files, sure(schema()));
    let start = r#"{path: "a/1.wav", status: "unsure", genre: null, confidence: 0.625, "#;
    assert!(rows[0].starts_with(start), "{rows:?}");
}

/// Every format that this build writes has the same columns in the same order.
#[test]
fn formats_agree_on_columns() {
    let both = [Content::Files, Content::Clips];
    for (content, of) in both.into_iter().flat_map(|c| [(c, schema()), (c, tags())]) {
        let csv = text_of(content, Format::Csv, of.clone());
        let header: Vec<&str> = csv.lines().next().unwrap().split(',').collect();
        for line in text_of(content, Format::Jsonl, of.clone()).lines() {
            let object: serde_json::Map<String, serde_json::Value> =
                serde_json::from_str(line).unwrap();
            assert_eq!(object.len(), header.len());
            let places = header.iter().map(|name| line.find(&format!("\"{name}\":")));
            let places: Vec<usize> = places.map(|at| at.expect("a column")).collect();
            assert!(places.is_sorted(), "{line}");
        }
        let (schema, _) = parquet(content, of);
        let names: Vec<&str> = schema
            .lines()
            .filter_map(|line| line.strip_prefix("  OPTIONAL "))
            .filter_map(|line| line.split([' ', ';']).nth(1))
            .collect();
        assert_eq!(names, header);
    }
}

#[test]
fn formats_are_named_by_extension() {
    for format in Format::ALL {
        let path = format!("table.{format}");
        // The list of paths beside a matrix is no table of its own.
        let named = (*format != Format::Names).then_some(*format);
        assert_eq!(Format::of(path.as_ref()), named);
    }
}

/// Returns the schema and every row as a reader gets them; checks the checkpoint's fingerprint in
/// the metadata.
fn parquet(content: Content, schema: Schema) -> (String, Vec<String>) {
    let mut file = tempfile::tempfile().unwrap();
    let bytes = table(content, Format::Parquet, schema);
    file.write_all(&bytes).unwrap();
    let file = SerializedFileReader::new(file).unwrap();
    let about = file.metadata().file_metadata();
    let metadata = about.key_value_metadata().unwrap();
    assert_eq!(metadata[0].key, "sonoprint.model");
    assert_eq!(metadata[0].value.as_deref(), Some("0123456789ab"));
    let mut schema = Vec::new();
    print_schema(&mut schema, about.schema());
    let rows = file.get_row_iter(None).unwrap();
    (
        String::from_utf8(schema).unwrap(),
        // The crate writes some numbers as 0E0 and -1.5E0.
        rows.map(|row| row.unwrap().to_string().replace("E0", ""))
            .collect(),
    )
}

#[test]
fn parquet_of_files() {
    let (schema, rows) = parquet(Content::Files, schema());
    assert_eq!(
        schema,
        "\
message sonoprint {
  OPTIONAL BYTE_ARRAY path (STRING);
  OPTIONAL BYTE_ARRAY status (STRING);
  OPTIONAL BYTE_ARRAY genre (STRING);
  OPTIONAL FLOAT confidence;
  OPTIONAL BYTE_ARRAY genre_2 (STRING);
  OPTIONAL FLOAT confidence_2;
  OPTIONAL DOUBLE seconds;
  OPTIONAL INT32 clips;
  OPTIONAL INT32 silent;
  OPTIONAL BOOLEAN padded;
  OPTIONAL BYTE_ARRAY reason (STRING);
  OPTIONAL BYTE_ARRAY message (STRING);
  OPTIONAL FLOAT p_blues;
  OPTIONAL FLOAT p_jazz;
  OPTIONAL FLOAT p_rock;
  OPTIONAL BYTE_ARRAY model (STRING);
}
"
    );
    assert_eq!(
        rows,
        [
            r#"{path: "a/1.wav", status: "ok", genre: "jazz", confidence: 0.625, genre_2: "rock", confidence_2: 0.25, seconds: 20.5, clips: 2, silent: 1, padded: false, reason: null, message: null, p_blues: 0.125, p_jazz: 0.625, p_rock: 0.25, model: "0123456789ab"}"#,
            r#"{path: "a/2, short.mp3", status: "ok", genre: "rock", confidence: 0.75, genre_2: "jazz", confidence_2: 0.25, seconds: 3.0, clips: 1, silent: 0, padded: true, reason: "damaged", message: "it breaks off", p_blues: 0, p_jazz: 0.25, p_rock: 0.75, model: "0123456789ab"}"#,
            r#"{path: "b/3.flac", status: "failed", genre: null, confidence: null, genre_2: null, confidence_2: null, seconds: null, clips: null, silent: null, padded: null, reason: "empty", message: "the file is empty, "really"", p_blues: null, p_jazz: null, p_rock: null, model: "0123456789ab"}"#,
        ]
    );
}

#[test]
fn parquet_of_clips_and_embeddings() {
    let (types, rows) = parquet(Content::Embeddings, schema());
    assert!(types.contains("REQUIRED group embedding (LIST)"), "{types}");
    assert_eq!(
        rows,
        [
            r#"{path: "a/1.wav", embedding: [0.5, -1.5]}"#,
            r#"{path: "a/2, short.mp3", embedding: [2.0, 3.0]}"#,
        ]
    );
    let (_, rows) = parquet(Content::Clips, schema());
    assert_eq!(rows.len(), 3);
    assert_eq!(
        rows[1],
        r#"{path: "a/1.wav", start: 10.5, end: 20.5, genre: "rock", confidence: 0.5, p_blues: 0.25, p_jazz: 0.25, p_rock: 0.5}"#
    );
}
