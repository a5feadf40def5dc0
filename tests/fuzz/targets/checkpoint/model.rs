//! The header and what it is made of, without networks.

#[path = "../../../../src/model/header.rs"]
pub mod header;
#[path = "../../../../src/model/spec.rs"]
pub mod spec;
