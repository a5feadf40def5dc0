//! Promise: any bytes, read as a checkpoint's header, give an error with a reason or a header that
//! is consistent in itself.
#![no_main]

use std::path::Path;

use libfuzzer_sys::fuzz_target;

#[allow(dead_code, unused_imports)]
#[path = "checkpoint/audio.rs"]
mod audio;
#[allow(dead_code)]
#[path = "checkpoint/frontend.rs"]
mod frontend;
#[allow(dead_code)]
#[path = "checkpoint/model.rs"]
mod model;

fuzz_target!(|bytes: &[u8]| {
    match model::header::Header::parse(Path::new("fuzz"), bytes) {
        Ok(header) => {
            assert_eq!(header.classes.len(), header.network.classes);
            header.front_end.validate().expect("what was read is valid");
            assert_eq!(header.network.input, header.front_end.output_shape());
        }
        Err(why) => assert!(!why.to_string().is_empty()),
    }
});
